//! One machine's connections: an HTTP server for what others ask, and HTTP clients for what its actors ask.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use router_core::{AttemptId, DeploymentId, Time};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

use super::directory::Directory;
use super::labels::WireError;
use super::payload::{CutOff, Payload};
use super::turmoil::{Error, PORT};
use super::wire::{self, Exchange, Packed, Then, Unpacked};
use crate::actor::{ActorId, Message};
use crate::host::Host;
use crate::step::Stamp;

/// Somebody waits for an answer.
struct Waiting {
    answer: oneshot::Sender<Response<Payload>>,
    /// They have said that they do not wait any longer, so that their connection may go at any time.
    given_up: bool,
}

/// A machine with a network.
pub(crate) struct Machine {
    host: Rc<RefCell<Host>>,
    directory: Rc<Directory>,
    /// The machine on which each actor lives.
    addresses: Rc<Vec<String>>,
    /// Requests of others that an actor here has still to answer.
    waiting: RefCell<BTreeMap<Exchange, Waiting>>,
    /// Requests of actors here that are under way.
    open: RefCell<BTreeMap<Exchange, AbortHandle>>,
    /// Requests that nobody here waits for any longer, by when their connections are cut.
    given_up: RefCell<BTreeMap<(Time, Exchange), AbortHandle>>,
    /// Connections that carry nothing at the moment.
    idle: RefCell<BTreeMap<String, Vec<SendRequest<Payload>>>>,
    tasks: RefCell<JoinSet<()>>,
    /// The first thing that went wrong, on whichever machine.
    fault: Rc<RefCell<Option<Error>>>,
}

impl Machine {
    /// A machine around `host`, without any connections.
    pub(crate) fn new(
        host: Rc<RefCell<Host>>,
        directory: Rc<Directory>,
        addresses: Rc<Vec<String>>,
        fault: Rc<RefCell<Option<Error>>>,
    ) -> Rc<Self> {
        Rc::new(Self {
            host,
            directory,
            addresses,
            waiting: RefCell::default(),
            open: RefCell::default(),
            given_up: RefCell::default(),
            idle: RefCell::default(),
            tasks: RefCell::default(),
            fault,
        })
    }

    /// Opens the machine to the others.
    pub(crate) async fn listen(self: &Rc<Self>) -> std::io::Result<()> {
        let listener = turmoil::net::TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, PORT)).await?;
        let machine = self.clone();
        self.tasks.borrow_mut().spawn_local(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => machine.serve(stream),
                    Err(error) => return machine.fail(WireError::Connection(error.to_string())),
                }
            }
        });
        Ok(())
    }

    /// The deployment of a call that waits for its answer here.
    pub(crate) fn called(&self, proxy: ActorId, attempt: AttemptId) -> Option<DeploymentId> {
        let any = |deployment| Exchange::Call { proxy, attempt, deployment: DeploymentId(deployment) };
        match self.waiting.borrow().range(any(0)..=any(u32::MAX)).next() {
            Some((Exchange::Call { deployment, .. }, _)) => Some(*deployment),
            _ => None,
        }
    }

    /// Sends a message. A connection whose exchange is given up is cut at `cut_at`.
    pub(crate) fn send(self: &Rc<Self>, stamp: Stamp, packed: Packed, cut_at: Time) {
        match packed {
            Packed::Opens(exchange, request) => {
                let machine = self.clone();
                let task = async move {
                    let outcome = machine.exchange(stamp.to, exchange, request).await;
                    machine.open.borrow_mut().remove(&exchange);
                    if let Err(error) = outcome {
                        machine.fail(error);
                    }
                };
                let handle = self.tasks.borrow_mut().spawn_local(task);
                self.open.borrow_mut().insert(exchange, handle);
            }
            Packed::Closes(exchange, answer) => {
                let waiting = self.waiting.borrow_mut().remove(&exchange);
                // The connection of an exchange that was given up stays until no answer can be under way any more.
                if waiting.is_none_or(|waiting| waiting.answer.send(answer).is_err()) {
                    self.fail(WireError::Connection(format!("nobody waits for the answer of {exchange:?}")));
                }
            }
            Packed::GivesUp(exchange, request) => {
                let machine = self.clone();
                self.tasks.borrow_mut().spawn_local(async move {
                    if let Err(error) = machine.tell(stamp.to, request).await {
                        machine.fail(error);
                    }
                });
                if let Some(handle) = self.open.borrow_mut().remove(&exchange) {
                    self.given_up.borrow_mut().insert((cut_at, exchange), handle);
                }
            }
        }
    }

    /// Cuts the connections whose time has come.
    pub(crate) fn cut(&self, now: Time) {
        while let Some(entry) = self.given_up.borrow_mut().first_entry()
            && entry.key().0 <= now
        {
            entry.remove().abort();
        }
    }

    /// Brings the panics of the machine's tasks to the surface, where they end the run.
    pub(crate) fn surface(&self) {
        while let Some(ended) = self.tasks.borrow_mut().try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                self.fail(Error::Panicked(panic_text(&*error.into_panic())));
            }
        }
    }

    fn fail(&self, error: impl Into<Error>) {
        self.fault.borrow_mut().get_or_insert(error.into());
    }

    fn receive(&self, stamp: Stamp, message: Message) {
        if let Err(late) = self.host.borrow_mut().receive(stamp, message) {
            self.fail(late);
        }
    }

    /// Answers the requests of one connection.
    fn serve(self: &Rc<Self>, stream: turmoil::net::TcpStream) {
        let machine = self.clone();
        let service = hyper::service::service_fn(move |request| machine.clone().answer(request));
        let mut server = hyper::server::conn::http1::Builder::new();
        // The date would be that of the machine on which the simulation runs.
        server.auto_date_header(false);
        let connection = server.serve_connection(TokioIo::new(stream), service);
        self.tasks.borrow_mut().spawn_local(async move {
            // Ends with an error when the other side hangs up, and when an answer breaks off: both are on purpose. A
            // connection that broke for any other reason is an error for whoever waits at its other end.
            let _ = connection.await;
        });
    }

    async fn answer(self: Rc<Self>, request: Request<Incoming>) -> Result<Response<Payload>, CutOff> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| CutOff)?.to_bytes();
        let request = Request::from_parts(head, body);
        let Unpacked { stamp, message, then } = match wire::unpack_request(&self.directory, &request) {
            Ok(unpacked) => unpacked,
            Err(error) => {
                self.fail(error);
                return Err(CutOff);
            }
        };
        self.receive(stamp, message);
        match then {
            Then::Waits(exchange) => {
                let (answer, answered) = oneshot::channel();
                self.waiting.borrow_mut().insert(exchange, Waiting { answer, given_up: false });
                let _leaves = Leaves { machine: &self, exchange };
                answered.await.map_err(|_| CutOff)
            }
            Then::GivenUp(exchange) => {
                if let Some(waiting) = self.waiting.borrow_mut().get_mut(&exchange) {
                    waiting.given_up = true;
                }
                let mut noted = Response::new(Payload::whole(""));
                *noted.status_mut() = StatusCode::NO_CONTENT;
                Ok(noted)
            }
        }
    }

    /// Makes a request and takes its answer.
    async fn exchange(&self, to: ActorId, exchange: Exchange, request: Request<Payload>) -> Result<(), Error> {
        let (mut connection, answer) = self.request(to, request).await?;
        let (head, body) = answer.into_parts();
        match body.collect().await {
            Ok(body) => {
                let answer = Response::from_parts(head, body.to_bytes());
                let (stamp, message) = wire::unpack_answer(&self.directory, &exchange, &answer)?;
                self.receive(stamp, message);
                if connection.ready().await.is_ok() {
                    self.keep(to, connection);
                }
            }
            Err(_) => {
                let (stamp, message) = wire::unpack_broken(&exchange, &Response::from_parts(head, ()))?;
                self.receive(stamp, message);
            }
        }
        Ok(())
    }

    /// Makes a request whose answer says nothing.
    async fn tell(&self, to: ActorId, request: Request<Payload>) -> Result<(), Error> {
        let (mut connection, answer) = self.request(to, request).await?;
        answer.into_body().collect().await.map_err(broke)?;
        if connection.ready().await.is_ok() {
            self.keep(to, connection);
        }
        Ok(())
    }

    async fn request(
        &self,
        to: ActorId,
        request: Request<Payload>,
    ) -> Result<(SendRequest<Payload>, Response<Incoming>), Error> {
        let idle = self.idle.borrow_mut().get_mut(self.address(to)).and_then(Vec::pop);
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect(to).await?,
        };
        let answer = connection.send_request(request).await.map_err(broke)?;
        Ok((connection, answer))
    }

    async fn connect(&self, to: ActorId) -> Result<SendRequest<Payload>, Error> {
        let stream = turmoil::net::TcpStream::connect((self.address(to), PORT)).await.map_err(broke)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        self.tasks.borrow_mut().spawn_local(async move {
            // What goes wrong here goes wrong for the request as well, and is told there.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn keep(&self, to: ActorId, connection: SendRequest<Payload>) {
        self.idle.borrow_mut().entry(self.address(to).to_owned()).or_default().push(connection);
    }

    fn address(&self, actor: ActorId) -> &str {
        &self.addresses[actor.0 as usize]
    }
}

/// Takes an exchange off the list of those that wait when its connection is cut, which must not happen before its other
/// end has given it up.
struct Leaves<'a> {
    machine: &'a Machine,
    exchange: Exchange,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let cut = self.machine.waiting.borrow_mut().remove(&self.exchange);
        if cut.is_some_and(|waiting| !waiting.given_up) {
            self.machine.fail(WireError::Connection(format!("{:?} lost its connection", self.exchange)));
        }
    }
}

fn broke(error: impl std::fmt::Display) -> WireError {
    WireError::Connection(error.to_string())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "for no stated reason".to_owned())
}
