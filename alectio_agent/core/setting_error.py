"""The error of validators of settings; outside the tree, since pydantic wants a ValueError."""


class SettingError(ValueError):
    """Raised inside a validator of settings: a value breaks a rule.

    A ValueError, since pydantic collects nothing else. It never leaves the room that validates:
    the loader of configuration files turns it into a line of a ConfigError.

    Attributes:
        message: What was found and what was expected, without the key.
        key: Dotted, from the model that raises; empty for that model itself.
        depends_on: Dotted keys that the rule read besides `key`.
        is_missing: Whether the mend is to add the key.
        others: Further rules that are broken at the same time.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str = "",
        depends_on: tuple[str, ...] = (),
        missing: bool = False,
    ) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.message = message
        self.key = key
        self.depends_on = depends_on
        self.is_missing = missing
        self.others: tuple[SettingError, ...] = ()

    @staticmethod
    def raise_any(found: "list[SettingError]") -> None:
        """Raise the first of these, if there is one, with the others beside it.

        Args:
            found: Broken rules, in the order to show them.

        Raises:
            SettingError: The list is not empty.
        """
        if found:
            found[0].others = tuple(found[1:])
            raise found[0]
