//! A built application that serves, and a client of a few lines.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Longer than anything takes that is asked for here, an argon2 hash on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(60);

/// `artisan serve` in a folder. Dropped, it is killed.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it has printed so far.
    pub printed: String,
    /// Host and port.
    pub address: String,
}

impl Server {
    /// Starts it on a free port, with nothing in its environment but a wish for a quiet log, and waits until it says
    /// where it serves.
    pub fn start(artisan: &Path, folder: &Path) -> Self {
        let mut command = Command::new(artisan);
        command.args(["serve", "--port", "0"]).current_dir(folder).env_clear().env("LOG_LEVEL", "warn");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            // Whoever waited has stopped waiting where the other end is gone.
            output.lines().map_while(Result::ok).take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
        });
        let mut server = Self { child, lines, printed: String::new(), address: String::new() };
        server.address = loop {
            let line = server.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it does not serve; it printed:\n{}", server.printed));
            server.printed.push_str(&line);
            server.printed.push('\n');
            if let Some((_, address)) = line.split_once("is served on http://") {
                break address.to_owned();
            }
        };
        server
    }

    /// Status and body of the answer to a request with a JSON body.
    pub fn request(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{authorization}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Asks it to stop by SIGTERM, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        // The shell's own `kill`: a program of this name is not on every machine.
        let kill = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        assert!(kill.unwrap().success());
        // Its output ends when it does.
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.printed.push_str(&line);
        }
        if let Some(status) = self.child.try_wait().unwrap() {
            return status;
        }
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
