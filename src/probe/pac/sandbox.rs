//! The JavaScript engine with one script in it: no files, no network, no modules, bounded time, memory and stack.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Error, Exception, Runtime, Value};

use super::bounded;
use super::desk::Desk;
use super::functions;
use super::text::bounded_text;
use super::trouble::Trouble;

/// What one script may take.
pub(super) const MEMORY: usize = 32 << 20;

/// What its calls may take of the thread's stack.
const STACK: usize = 512 << 10;

/// What a thread needs for that.
pub(super) const THREAD_STACK: usize = 4 << 20;

/// A longer answer is none.
const MOST_ANSWERED: usize = 64 << 10;

/// What stack traces call the script.
const FILE: &str = "proxy.pac";

/// What is said of both, where it does not show in the memory.
const THREW_NULL: &str = "threw null, as the engine does where no memory is left";

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
    runtime: Runtime,
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
            runtime,
            desk,
        })
    }

    /// Runs the script's outermost level, which defines its function.
    pub(super) fn load(&self, script: &str) -> Result<(), Trouble> {
        if script.contains('\0') {
            return Err(Trouble::Syntax {
                line: None,
                message: "it holds a zero byte: it is no text".to_owned(),
            });
        }
        self.desk.clock_begins();
        let loaded = self.context.with(|ctx| {
            let mut options = EvalOptions::default();
            options.strict = false;
            options.filename = Some(FILE.to_owned());
            let loaded: Result<Value<'_>, Error> = ctx.eval_with_options(script, options);
            self.judged(&ctx, loaded).map(drop)
        });
        loaded.map_err(|trouble| self.told_by_memory(trouble))
    }

    /// Calls the script's function.
    pub(super) fn find(&self, url: &str, host: &str) -> Result<String, Trouble> {
        self.desk.clock_begins();
        let found = self.context.with(|ctx| {
            let function: Value<'_> = self.judged(&ctx, ctx.eval(FIND))?;
            let Some(function) = function.as_function() else {
                return Err(Trouble::NoFunction);
            };
            let answer = self.judged(&ctx, function.call((url, host)))?;
            text_of(&answer)
        });
        found.map_err(|trouble| self.told_by_memory(trouble))
    }

    /// Whether so much is left of what was run that it is time for a new engine.
    pub(super) fn is_half_full(&self) -> bool {
        let taken = self.runtime.memory_usage().malloc_size;
        usize::try_from(taken).is_ok_and(|taken| taken > MEMORY / 2)
    }

    /// What is there when the time is over is kept: the machine may have stood still.
    fn judged<T>(&self, ctx: &Ctx<'_>, result: Result<T, Error>) -> Result<T, Trouble> {
        let caught = result.catch(ctx);
        if caught.is_err() {
            // The engine asks now and then; what it did in one long stride counts as well.
            self.desk.must_stop();
        }
        if let Some(why) = self.desk.stopped() {
            return Err(why);
        }
        let trouble = match caught {
            Ok(value) => return Ok(value),
            Err(CaughtError::Exception(exception)) => exception_of(&exception),
            Err(CaughtError::Value(value)) => thrown(&value),
            Err(CaughtError::Error(error)) => engine(&error),
        };
        // What was thrown may have run code of the script when it was looked at, and thrown again.
        ctx.catch();
        self.desk.must_stop();
        Err(self.desk.stopped().unwrap_or(trouble))
    }

    /// The engine throws `null` where there is no memory left even for an exception; so may a script.
    fn told_by_memory(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Exception { message, .. } if message == THREW_NULL && self.is_half_full() => {
                Trouble::Memory(MEMORY)
            }
            trouble => trouble,
        }
    }
}

fn thrown(value: &Value<'_>) -> Trouble {
    let message = match text_of(value) {
        Ok(_) if value.is_null() => THREW_NULL.to_owned(),
        Ok(text) => format!("threw {}", bounded(&text, MOST_CHARACTERS)),
        Err(_) => format!("threw {}", value.type_name()),
    };
    Trouble::Exception {
        line: None,
        message,
    }
}

fn exception_of(exception: &Exception<'_>) -> Trouble {
    let text = |name: &str| {
        let value: Option<rquickjs::String<'_>> = exception.as_object().get(name).ok()?;
        bounded_text(&value?, MOST_ANSWERED).ok()?
    };
    let name = text("name").unwrap_or_default();
    let message = text("message").unwrap_or_default();
    if name == "InternalError" && message == "out of memory" {
        return Trouble::Memory(MEMORY);
    }
    let line = text("stack").as_deref().and_then(line_of);
    let message = bounded(&format!("{name}: {message}"), MOST_CHARACTERS);
    if name == "SyntaxError" {
        Trouble::Syntax { line, message }
    } else {
        Trouble::Exception { line, message }
    }
}

/// An answer, or what is thrown. No text at all is what the specification has for no proxy.
fn text_of(value: &Value<'_>) -> Result<String, Trouble> {
    if value.is_null() {
        return Ok(String::new());
    }
    let Some(text) = value.as_string() else {
        return Err(Trouble::NoText(value.type_name().to_owned()));
    };
    match bounded_text(text, MOST_ANSWERED) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(Trouble::TooLong(MOST_ANSWERED)),
        Err(_) => Err(Trouble::NoText("something that is no Unicode".to_owned())),
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
