use std::{fmt, sync::Arc};

use parking_lot::Mutex;

use super::{DefaultMailer, Mail};

/// Records mail in place of its being sent, in a test. `TestApp::fake_mail` and the facade's `Mail::fake` begin it, for that
/// test's application alone. A mail that could not be sent is refused as ever.
///
/// ```
/// use paravel::{facades, foundation::Application, mail::Mail, testing::TestApp};
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let app = TestApp::boot(Application::builder()).await?;
/// let mails = app.fake_mail()?;
/// let mail = Mail::new("Land ho!").to("lucy@example.com").text("Come on deck.");
/// app.run(facades::Mail::send(mail)).await?;
/// mails.assert_sent(|mail| mail.is_to("lucy@example.com"));
/// mails.assert_sent_times(1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MailFake(Arc<Mutex<Vec<Mail>>>);

impl MailFake {
    /// What was sent, in order.
    pub fn sent(&self) -> Vec<Mail> {
        self.0.lock().clone()
    }

    /// Asserts that a mail was sent for which `holds` is true.
    ///
    /// # Panics
    /// Where not, with all that was sent.
    #[track_caller]
    pub fn assert_sent(&self, holds: impl FnMut(&Mail) -> bool) {
        assert!(self.count(holds) > 0, "no mail was sent for which that holds{self}");
    }

    /// Asserts that no mail was sent for which `holds` is true.
    ///
    /// # Panics
    /// Where one was, with all that was sent.
    #[track_caller]
    pub fn assert_not_sent(&self, holds: impl FnMut(&Mail) -> bool) {
        assert!(self.count(holds) == 0, "a mail was sent for which that holds{self}");
    }

    /// Asserts that so many mails were sent.
    ///
    /// # Panics
    /// Where it were more or fewer, with all that was sent.
    #[track_caller]
    pub fn assert_sent_times(&self, times: usize) {
        let found = self.count(|_| true);
        assert!(found == times, "{found} mail(s) were sent, not {times}{self}");
    }

    /// Asserts that no mail was sent.
    ///
    /// # Panics
    /// Where one was.
    #[track_caller]
    pub fn assert_nothing_sent(&self) {
        assert!(self.0.lock().is_empty(), "a mail was sent{self}");
    }

    fn count(&self, mut holds: impl FnMut(&Mail) -> bool) -> usize {
        // Without the lock: what is asked may send others.
        self.sent().iter().filter(|mail| holds(mail)).count()
    }

    pub(super) fn record(&self, mail: Mail) {
        self.0.lock().push(mail);
    }
}

/// What was sent, as the end of a failed assertion's message.
impl fmt::Display for MailFake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.0.lock();
        if sent.is_empty() {
            return f.write_str("; nothing was sent");
        }
        f.write_str("; what was sent:")?;
        sent.iter().try_for_each(|mail| {
            let to: Vec<_> = mail.to.iter().map(ToString::to_string).collect();
            write!(f, "\n  {:?} to {}", mail.subject, to.join(", "))
        })
    }
}

impl DefaultMailer {
    /// Begins to fake this mailer, in place of an earlier fake.
    pub fn fake(&self) -> MailFake {
        let fake = MailFake::default();
        *self.faked.write() = Some(fake.clone());
        fake
    }

    pub(super) fn fake_now(&self) -> Option<MailFake> {
        self.faked.read().clone()
    }
}
