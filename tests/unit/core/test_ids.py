from alectio_agent.core.ids import TOKEN_PREFIX, new_id, new_token


def test_ids_are_128_bits_as_hexadecimal_digits():
    assert len(bytes.fromhex(new_id())) == 16
    assert len({new_id() for _ in range(100)}) == 100


def test_tokens_have_256_bits_and_a_prefix_that_scanners_find():
    token = new_token()
    assert token.startswith(TOKEN_PREFIX)
    assert len(token) == len(TOKEN_PREFIX) + 43  # 32 bytes in base 64 without padding
    assert len({new_token() for _ in range(100)}) == 100
