//! A small SMTP server that keeps what it is sent.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinSet,
};

/// The server, which ends with this.
pub struct MailServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<String>>>,
    _connections: JoinSet<()>,
}

impl MailServer {
    pub async fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let mails = Arc::<Mutex<Vec<String>>>::default();
        let (mut connections, kept) = (JoinSet::new(), Arc::clone(&mails));
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                // A client that hangs up is none of the test's business.
                open.spawn(async move { drop(converse(stream, &kept).await) });
            }
        });
        Ok(Self { port, mails, _connections: connections })
    }

    /// The mails that it was sent, with their headers.
    pub async fn mails(&self) -> Vec<String> {
        self.mails.lock().await.clone()
    }
}

async fn converse(stream: TcpStream, mails: &Mutex<Vec<String>>) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    writing.write_all(b"220 ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match &*command {
            "EHLO" => "250-here\r\n250 8BITMIME\r\n",
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail += &line;
                    mail += "\n";
                }
                mails.lock().await.push(mail);
                "250 taken\r\n"
            }
            "QUIT" => "221 farewell\r\n",
            _ => "250 ok\r\n",
        };
        writing.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
