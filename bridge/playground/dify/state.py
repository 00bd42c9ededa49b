"""Everything the stand-in Dify knows, shared by its endpoints. No HTTP here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.playground.dify.faults import Faults
from bridge.playground.dify.features import Features
from bridge.playground.dify.kept_files import MadeFile, Signer, Upload
from bridge.playground.dify.people import WaitingRun
from bridge.playground.dify.records import (
    Asked,
    ChatRequest,
    Conversation,
    DeleteCall,
    Ended,
    NameCall,
    Rating,
    RatingCall,
    Recording,
    SpeechCall,
    StopCall,
    StoredRun,
    Unheard,
)
from bridge.playground.dify.run import ChatRun
from bridge.playground.dify.script import Reply, default_reply, make_title
from bridge.playground.dify.wire import Dialect, Json
from bridge.playground.watching import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    user: str
    run: ChatRun


class DifyState(Watched):
    def __init__(self, clock: Clock, mode: str, version: str, api_key: str) -> None:
        super().__init__()
        self.clock = clock
        self.mode = mode
        self.dialect = Dialect(version)
        self.api_key = api_key
        self.first_token = 0.2
        self.per_token = 0.025
        self.ping_every = 10.0
        self.max_connections = 10
        self.required_inputs: list[str] = []
        self.question_input: str | None = None
        self.lacks: dict[str, int] = {}
        """Calls that are not there, by path, and the status that says so."""
        self.form: list[Json] = []
        """Further entries of its form (see `inputs.form_field`)."""
        self.features = Features()
        self.origin = ""
        """Where the server is reached: scheme, host and port."""
        self.signer = Signer()
        self.uploads: dict[str, Upload] = {}
        self.made: dict[str, MadeFile] = {}
        """By path."""
        self.recordings: list[Recording] = []
        self.name_log: list[NameCall] = []
        self.speech_log: list[SpeechCall] = []
        self.delete_log: list[DeleteCall] = []
        self.titles: Callable[[str], str] = make_title
        self.downloads: list[str] = []
        """Paths of files that were given out."""
        self.script: Callable[[str], Reply] | None = None
        self.requests: list[ChatRequest] = []
        self.by_task: dict[str, ChatRequest] = {}
        self.conversations: dict[str, Conversation] = {}
        self.ratings: dict[str, Rating] = {}
        self.rating_log: list[RatingCall] = []
        self.stops: list[str] = []
        self.stop_log: list[StopCall] = []
        self.runs: dict[str, StoredRun] = {}
        self.waiting_runs: dict[str, WaitingRun] = {}
        """By id: runs that were paused once."""
        self.unheard: dict[str, Unheard] = {}
        """By task: runs that nobody listens to any more."""
        self.faults = Faults()
        self.running: dict[str, Running] = {}
        self.stopping = False

    @property
    def takes_question(self) -> str:
        """The input that a question to this app goes into; "" where it has a place of its own."""
        usual = {"completion": "query", "workflow": "text"}.get(self.mode, "")
        return usual if self.question_input is None else self.question_input

    def reply_to(self, query: str, earlier: Sequence[str], given: Sequence[tuple[Upload, str]] = ()) -> Reply:
        if self.script is not None:
            return self.script(query)
        told = [f"{file.name} ({kind}, {len(file.content)} bytes)" for file, kind in given]
        return default_reply(query, earlier, told, self.mode, self.link_to)

    def title_of(self, conversation: Conversation) -> str:
        """What its model calls it; its old name when the model fails."""
        if not self.features.names or not conversation.messages:
            return conversation.name
        title = self.titles(conversation.messages[0].query)
        # Where the real one cuts.
        return title[:75] + "..." if len(title) > 75 else title

    def link_to(self, file: MadeFile) -> str:
        """A signed address that opens this file, as an app writes it into its answer."""
        self.made[file.path] = file
        return self.address_of(file.path)

    def address_of(self, path: str) -> str:
        """A signed address, as this server's FILES_URL has it."""
        start = self.origin if self.features.files_url == "own" else self.features.files_url
        return start + self.signer.sign(path, self.wall_seconds())

    def start_run(self, record: ChatRequest, run: ChatRun) -> None:
        self.by_task[record.task_id] = record
        self.made |= {file.path: file for file in run.files}
        self.running[record.task_id] = Running(user=record.user, run=run)
        if run.workflow_run is not None:
            self.runs[run.workflow_run.id] = run.workflow_run
        run.on_pause = self._keep_paused

    def _keep_paused(self, paused: WaitingRun) -> None:
        self.waiting_runs[paused.run.id] = paused

    def end_run(self, record: ChatRequest) -> None:
        """Nothing is streamed for this request any more; what goes on unheard is kept for stop calls."""
        self.running.pop(record.task_id, None)
        if record.stored is not None and record.stored.unheard is not None:
            self.unheard[record.task_id] = record.stored.unheard

    def questions(self) -> dict[str, Asked]:
        """Every text that was asked, in the order of its first time."""
        posts: dict[str, list[ChatRequest]] = {}
        for one in self.requests:
            posts.setdefault(one.query, []).append(one)
        return {query: self._sum_up(of_one) for query, of_one in posts.items()}

    def _sum_up(self, posts: Sequence[ChatRequest]) -> Asked:
        made = [one for one in posts if one.stored is not None]
        return Asked(
            posts=len(posts),
            accepted=len(made),
            users=tuple(dict.fromkeys(one.user for one in posts)),
            conversations=tuple(dict.fromkeys(one.home for one in made)),
            endings=tuple(Ended.STOPPED if one.stopped else one.ended for one in posts),
            stopped=sum(one.stopped for one in posts),
            answers=tuple(one.stored.answer for one in made if one.stored is not None),
        )

    def wall_seconds(self) -> int:
        """Dify keeps times to the second."""
        return int(self.clock.now().timestamp())
