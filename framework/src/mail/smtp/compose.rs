use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox as Header, Mailboxes, MultiPart, SinglePart, header},
};

use crate::{
    mail::{Mail, MailError, Mailbox},
    support::Id,
};

/// A mail as it goes over the wire, and whom the server is told that it is from and to.
pub(super) fn compose(mail: &Mail) -> Result<(Envelope, Vec<u8>), MailError> {
    let from = mail.from.as_ref().ok_or_else(|| MailError::NoSender { subject: mail.subject.clone() })?;
    let from = header_of(from, "from")?;
    let (to, reply_to) = (all(&mail.to, "to")?, all(&mail.reply_to, "reply-to")?);
    let failed = |error: lettre::error::Error| MailError::Failed { reason: error.to_string(), transient: false };

    let addresses = to.iter().map(|to| to.email.clone()).collect();
    let envelope = Envelope::new(Some(from.email.clone()), addresses).map_err(failed)?;
    let id = format!("<{}@{}>", Id::<Mail>::new().uuid().simple(), from.email.domain());
    let mut message = Message::builder()
        .envelope(envelope.clone())
        .message_id(Some(id))
        .from(from)
        .header(header::To::from(to.into_iter().collect::<Mailboxes>()))
        .subject(&mail.subject);
    if !reply_to.is_empty() {
        message = message.header(header::ReplyTo::from(reply_to.into_iter().collect::<Mailboxes>()));
    }
    let message = match (&mail.text, &mail.html) {
        (Some(text), Some(html)) => message.multipart(MultiPart::alternative_plain_html(text.clone(), html.clone())),
        (None, Some(html)) => message.singlepart(SinglePart::html(html.clone())),
        (text, None) => message.singlepart(SinglePart::plain(text.clone().unwrap_or_default())),
    };
    Ok((envelope, message.map_err(failed)?.formatted()))
}

fn all(mailboxes: &[Mailbox], field: &'static str) -> Result<Vec<Header>, MailError> {
    mailboxes.iter().map(|mailbox| header_of(mailbox, field)).collect()
}

fn header_of(mailbox: &Mailbox, field: &'static str) -> Result<Header, MailError> {
    let address: Result<Address, _> = mailbox.address.parse();
    let address = address.map_err(|_| MailError::Address { field, address: mailbox.address.clone() })?;
    Ok(Header::new(mailbox.name.clone(), address))
}
