"""Answers to browsers: headers that keep pages to themselves, redirects, cookies."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alectio_agent.hub.access.sessions import LIFE_S, Session, Sessions
from alectio_agent.hub.dashboard.entrance import is_https

SIGN_IN = "/sign-in"
LONGEST_NEXT = 500
# plotly sets `style` attributes on what it draws; it makes no style sheet of its own here, see
# templates/layout.html.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A report carries its script inside. It may draw, print and be saved, as a page of no site: it has
# neither our cookies nor our address.
RESULT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
COMMON = {
    "X-Content-Type-Options": "nosniff",
    # Nothing goes to other sites. `no-referrer` would also take `Origin` from our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
PAGE_HEADERS = {**COMMON, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
RESULT_HEADERS = {**COMMON, "Content-Security-Policy": RESULT_POLICY, "Cache-Control": "no-store"}


def page(html: str, status: int = 200) -> Response:
    """A page.

    Args:
        html: Whole, or a part for a page that is open.
        status: Of the answer.
    """
    return HTMLResponse(html, status, PAGE_HEADERS)


def download(text: str, name: str, kind: str) -> Response:
    """A file to save.

    Args:
        text: Its content.
        name: Letters, digits, dots, dashes and underlines.
        kind: Its media type.
    """
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, 200, headers, f"{kind}; charset=utf-8")


def redirect(path: str) -> Response:
    """Send the browser on, to read.

    Args:
        path: On this hub.
    """
    return RedirectResponse(path, 303, PAGE_HEADERS)


def to_sign_in(request: Request) -> Response:
    """Ask for a token, and come back afterwards.

    Args:
        request: Of somebody who is not signed in.
    """
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or wanted == "/" or len(wanted) > LONGEST_NEXT:
        return redirect(SIGN_IN)
    return redirect(f"{SIGN_IN}?next={quote(wanted, safe='')}")


def local_path(text: str) -> str:
    """Where to go after signing in.

    Args:
        text: As the address says; anybody may have written it.

    Returns:
        A path on this hub; `/` for anything else.
    """
    is_plain = text.isprintable() and text.isascii() and "\\" not in text
    if not is_plain or not text.startswith("/") or text.startswith("//"):
        return "/"
    try:
        found = urlsplit(text)
    except ValueError:
        return "/"
    if found.scheme or found.netloc or found.path.startswith(("//", SIGN_IN)):
        return "/"
    return text


def set_cookie(
    answer: Response, request: Request, sessions: Sessions, session: Session
) -> Response:
    """Give the browser its session.

    Args:
        answer: That carries the cookie.
        request: Says whether TLS is spoken.
        sessions: Signs.
        session: Fresh.

    Returns:
        The same answer.
    """
    # Lax, so that a link in a mail opens the page; what changes anything needs the form's key.
    answer.set_cookie(
        sessions.cookie,
        sessions.write(session),
        max_age=int(LIFE_S),
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return answer


def clear_cookie(answer: Response, request: Request, sessions: Sessions) -> Response:
    """Take the session from the browser.

    Args:
        answer: That says so.
        request: Says whether TLS is spoken.
        sessions: Knows the cookie's name.

    Returns:
        The same answer.
    """
    answer.delete_cookie(sessions.cookie, httponly=True, samesite="lax", secure=is_https(request))
    return answer
