//! The JavaScript engine with one script in it: no files, no network, no modules, bounded time, memory and stack.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Error, Runtime, Value};

use super::bounded;
use super::desk::Desk;
use super::functions;
use super::script::Script;
use super::trouble::Trouble;

/// What one script may take.
pub(super) const MEMORY: usize = 32 << 20;

/// What its calls may take of the thread's stack.
const STACK: usize = 512 << 10;

/// What a thread needs for that.
pub(super) const THREAD_STACK: usize = 4 << 20;

/// What stack traces call the script.
const FILE: &str = "proxy.pac";

/// So much of a message is kept.
const MOST_CHARACTERS: usize = 256;

/// The function to call. Microsoft's, which knows of IPv6, comes first, as in WinHTTP. A look at the names, and not
/// at the global object, finds `const` and `let` too.
const FIND: &str = "typeof FindProxyForURLEx === 'function' ? FindProxyForURLEx \
                    : typeof FindProxyForURL === 'function' ? FindProxyForURL : undefined";

/// A script that is loaded. It stays on the thread that loaded it.
pub(super) struct Sandbox {
    // The context goes before its runtime.
    context: Context,
    _runtime: Runtime,
    desk: Rc<Desk>,
}

impl Sandbox {
    /// An engine with the functions of proxy scripts and nothing else.
    pub(super) fn new(desk: Rc<Desk>) -> Result<Self, Trouble> {
        let runtime = Runtime::new().map_err(|error| engine(&error))?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let of_handler = Rc::clone(&desk);
        runtime.set_interrupt_handler(Some(Box::new(move || of_handler.must_stop())));
        let context = Context::full(&runtime).map_err(|error| engine(&error))?;
        let installed = context.with(|ctx| functions::install(&ctx, &desk));
        installed.map_err(|error| engine(&error))?;
        Ok(Self {
            context,
            _runtime: runtime,
            desk,
        })
    }

    /// Runs the script's outermost level, which defines its function.
    pub(super) fn load(&self, script: &Script) -> Result<(), Trouble> {
        if script.text.contains('\0') {
            return Err(Trouble::Syntax {
                line: None,
                message: "it holds a zero byte: it is no text".to_owned(),
            });
        }
        self.desk.clock_begins();
        self.context.with(|ctx| {
            let mut options = EvalOptions::default();
            options.strict = false;
            options.filename = Some(FILE.to_owned());
            let loaded: Result<Value<'_>, Error> =
                ctx.eval_with_options(script.text.as_str(), options);
            self.judged(&ctx, loaded).map(drop)
        })
    }

    /// Calls the script's function.
    pub(super) fn find(&self, url: &str, host: &str) -> Result<String, Trouble> {
        self.desk.clock_begins();
        self.context.with(|ctx| {
            let function: Value<'_> = self.judged(&ctx, ctx.eval(FIND))?;
            let Some(function) = function.as_function() else {
                return Err(Trouble::NoFunction);
            };
            let answer = self.judged(&ctx, function.call((url, host)))?;
            text_of(&answer)
        })
    }

    fn judged<T>(&self, ctx: &Ctx<'_>, result: Result<T, Error>) -> Result<T, Trouble> {
        let caught = result.catch(ctx);
        // The engine asks now and then; what it did in one long stride counts as well.
        self.desk.must_stop();
        if let Some(why) = self.desk.stopped() {
            return Err(why);
        }
        let error = match caught {
            Ok(value) => return Ok(value),
            Err(CaughtError::Exception(exception)) => {
                let name: String = exception.as_object().get("name").unwrap_or_default();
                let message = exception.message().unwrap_or_default();
                if message.contains("out of memory") {
                    return Err(Trouble::Memory(MEMORY));
                }
                let stack = exception.stack().unwrap_or_default();
                let line = line_of(&stack);
                let message = bounded(&format!("{name}: {message}"), MOST_CHARACTERS);
                return Err(if name == "SyntaxError" {
                    Trouble::Syntax { line, message }
                } else {
                    Trouble::Exception { line, message }
                });
            }
            Err(CaughtError::Value(value)) if value.is_null() => {
                // There was no memory left even for the exception.
                return Err(Trouble::Memory(MEMORY));
            }
            Err(CaughtError::Value(value)) => {
                let thrown = text_of(&value).unwrap_or_else(|_| value.type_name().to_owned());
                let message = format!("threw {}", bounded(&thrown, MOST_CHARACTERS));
                return Err(Trouble::Exception {
                    line: None,
                    message,
                });
            }
            Err(CaughtError::Error(error)) => error,
        };
        Err(match error {
            Error::Allocation => Trouble::Memory(MEMORY),
            error => engine(&error),
        })
    }
}

/// An answer, or what is thrown. No text at all is what the specification has for no proxy.
fn text_of(value: &Value<'_>) -> Result<String, Trouble> {
    if value.is_null() {
        return Ok(String::new());
    }
    match value.as_string().map(rquickjs::String::to_string) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => Err(Trouble::NoText("something that is no Unicode".to_owned())),
        None => Err(Trouble::NoText(value.type_name().to_owned())),
    }
}

/// The line of the innermost call that is the script's own, as in `at f (proxy.pac:12:5)`.
fn line_of(stack: &str) -> Option<u32> {
    let (_, rest) = stack.split_once(&format!("{FILE}:"))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit());
    rest[..digits.unwrap_or(rest.len())].parse().ok()
}

fn engine(error: &Error) -> Trouble {
    match error {
        Error::Allocation => Trouble::Memory(MEMORY),
        error => Trouble::Engine(bounded(&error.to_string(), MOST_CHARACTERS)),
    }
}

#[cfg(test)]
mod tests;
