//! Authorization: who sends a request, and why it is refused.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use http::request::Parts;

/// The authenticated client of a request.
///
/// A session belongs to the principal that created it: for any other principal it does not exist.
///
/// # Example
///
/// ```
/// use bits_server::Principal;
///
/// let machine = Principal::new("machine-7");
/// assert_eq!(machine.to_string(), "machine-7");
/// assert_eq!(Principal::ANONYMOUS.name(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(Option<Box<str>>);

impl Principal {
    /// The client of a server without authorization. Its sessions are not counted for
    /// [`Limits::max_sessions_per_principal`](crate::Limits::max_sessions_per_principal).
    pub const ANONYMOUS: Self = Self(None);

    /// Creates a principal with a name, which is equal for all requests of the client.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(Some(name.into()))
    }

    /// Returns the name; `None` for [`ANONYMOUS`](Self::ANONYMOUS).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Writes the name, or `anonymous`.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("anonymous"))
    }
}

/// Reasons to refuse a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deny {
    /// The credentials are missing or wrong: 401.
    Unauthenticated {
        /// Value of WWW-Authenticate, such as `Basic realm="uploads"` or `Bearer`.
        challenge: Box<str>,
    },
    /// The client has no access: 403.
    Forbidden,
}

impl Deny {
    /// Creates a reason of the variant [`Unauthenticated`](Self::Unauthenticated).
    #[must_use]
    pub fn unauthenticated(challenge: impl Into<Box<str>>) -> Self {
        Self::Unauthenticated { challenge: challenge.into() }
    }
}

impl fmt::Display for Deny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthenticated { .. } => "client is not authenticated",
            Self::Forbidden => "access denied",
        })
    }
}

impl std::error::Error for Deny {}

/// An asynchronous check of the head of a request.
///
/// Implemented for functions and closures, including async ones, from `&Parts` to a future of
/// `Result<Principal, Deny>`:
///
/// ```
/// use bits_server::{Authorize, Deny, Parts, Principal};
///
/// fn machine_of(request: &Parts) -> Result<Principal, Deny> {
///     let name = request.headers.get("x-machine").and_then(|name| name.to_str().ok());
///     name.map(Principal::new).ok_or(Deny::Forbidden)
/// }
///
/// fn accepts(_: impl for<'a> Authorize<'a>) {}
/// accepts(async |request: &Parts| machine_of(request));
/// accepts(|request: &Parts| std::future::ready(machine_of(request)));
/// ```
pub trait Authorize<'a>: Send + Sync {
    /// Future of the result.
    type Future: Future<Output = Result<Principal, Deny>> + Send + 'a;

    /// Checks a request.
    fn authorize(&self, request: &'a Parts) -> Self::Future;
}

impl<'a, F, T> Authorize<'a> for F
where
    F: Fn(&'a Parts) -> T + Send + Sync,
    T: Future<Output = Result<Principal, Deny>> + Send + 'a,
{
    type Future = T;

    fn authorize(&self, request: &'a Parts) -> T {
        self(request)
    }
}

/// Object-safe form of [`Authorize`].
pub(crate) type AuthorizeFn = Box<
    dyn for<'a> Fn(&'a Parts) -> Pin<Box<dyn Future<Output = Result<Principal, Deny>> + Send + 'a>>
        + Send
        + Sync,
>;

pub(crate) fn boxed(authorize: impl for<'a> Authorize<'a> + 'static) -> AuthorizeFn {
    Box::new(move |request| Box::pin(authorize.authorize(request)))
}
