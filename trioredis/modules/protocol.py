"""All messages between engine and host; those of the control channel as classes.

Generated from sandbox/protocol.toml by tools/gen_protocol.py; change those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

from trioredis.modules.wire import Body, Table

VERSION_MIN: Final = 1
VERSION_MAX: Final = 1
NEST_MAX: Final = 64
QUEUE_MAX: Final = 256


@final
@dataclass(frozen=True, slots=True)
class Hello(Body):
    """The first message. The engine picks a version that both speak, or hangs up."""

    TYPE: ClassVar[str] = "hello"

    version_min: int
    """Lowest version of the protocol that the host speaks."""
    version_max: int
    """Highest one."""
    build_id: bytes
    """Which build of the host this is."""
    pid: int
    """Process id as the host sees it."""
    abi: int
    """Sizeof(void *) times 8."""


@final
@dataclass(frozen=True, slots=True)
class HelloAnswer(Body):
    """Answer to hello."""

    TYPE: ClassVar[str] = "hello_answer"

    version: int
    """What is spoken from here on."""
    server_version: int
    """Major << 16 | minor << 8 | patch."""
    build_id: bytes
    """Which build of the engine this is."""
    nest_max: int
    """Requests that may wait for each other."""
    queue_max: int
    """Commands that may be handed over at once."""
    command_ms_max: int
    """How long a command may run; 0: no bound."""
    message_bytes_max: int
    """Longest body that is taken."""


@final
@dataclass(frozen=True, slots=True)
class Walls(Body):
    """Which walls stand around the helper, told after each of the two jails."""

    TYPE: ClassVar[str] = "walls"

    step: int
    """1: before the module is opened, 2: after."""
    names: tuple[bytes, ...]
    """The walls."""
    standing: tuple[int, ...]
    """1: it stands, 0: not permitted here, 2: not wanted."""
    details: tuple[bytes, ...]
    """Level, bound or errno in words."""


@final
@dataclass(frozen=True, slots=True)
class LoadModule(Body):
    """Opens the library and runs its load function, on a grant of the floor on the data channel."""

    TYPE: ClassVar[str] = "load_module"

    path: bytes
    """The library, already absolute."""
    args: tuple[bytes, ...]
    """Arguments of the module."""
    commands: tuple[bytes, ...]
    """Names of all commands, for checks that need no round trip."""


@final
@dataclass(frozen=True, slots=True)
class LoadModuleAnswer(Body):
    """Answer to load_module."""

    TYPE: ClassVar[str] = "load_module_answer"

    outcome: int
    """0 loaded, 1 no such file, 2 not a library, 3 no load function, 4 it refused, 5 not permitted, 6 no memory."""
    reason: bytes
    """What the dynamic linker or the walls said."""
    name: bytes
    """As the module calls itself."""
    version: int
    """Of the module."""
    api_version: int
    """That the module asks for."""
    options: int
    """Module options set so far."""
    commands: tuple[bytes, ...]
    """Full names of what it registered."""
    types: tuple[bytes, ...]
    """Names of its data types."""
    configs: tuple[bytes, ...]
    """Names of its configuration entries."""
    filters: int
    """Command filters registered."""
    missing: tuple[bytes, ...]
    """Functions that the library looked up and that nobody has."""
    base: int
    """Address that the library was loaded at."""
    load_us: int
    """Time that opening and the load function took."""


@final
@dataclass(frozen=True, slots=True)
class UnloadModule(Body):
    """Runs the unload function, on a grant of the floor, and closes the library."""

    TYPE: ClassVar[str] = "unload_module"


@final
@dataclass(frozen=True, slots=True)
class UnloadModuleAnswer(Body):
    """Answer to unload_module."""

    TYPE: ClassVar[str] = "unload_module_answer"

    outcome: int
    """0 unloaded, 1 the module refused, 2 timers are pending, 3 clients are blocked."""
    reason: bytes
    """In words."""


@final
@dataclass(frozen=True, slots=True)
class Log(Body):
    """One line for the log. Lines beyond the module's allowance are counted in dropped of the next."""

    TYPE: ClassVar[str] = "log"

    level: int
    """0 debug, 1 verbose, 2 notice, 3 warning."""
    source: int
    """0 the module, 1 the host, 2 reading or writing a value."""
    thread: int
    """Thread id."""
    time_us: int
    """Microseconds since 1970."""
    dropped: int
    """Lines left out before this one."""
    text: bytes
    """The line."""


@final
@dataclass(frozen=True, slots=True)
class Crash(Body):
    """The helper is about to die. The report itself is in the shared memory."""

    TYPE: ClassVar[str] = "crash"

    kind: int
    """0 signal, 1 assertion of the module, 2 exit called, 3 no memory, 4 the host gives up."""
    signal: int
    """Number of the signal, 0: none."""
    code: int
    """Si_code, exit status or errno."""
    address: int
    """That faulted."""
    thread: int
    """Thread id."""
    text: bytes
    """Assertion or reason."""


@final
@dataclass(frozen=True, slots=True)
class Ping(Body):
    """Is anybody there? Answered by a thread of the host, also while the module runs."""

    TYPE: ClassVar[str] = "ping"

    token: int
    """Comes back."""


@final
@dataclass(frozen=True, slots=True)
class PingAnswer(Body):
    """Answer to ping."""

    TYPE: ClassVar[str] = "ping_answer"

    token: int
    """Of the question."""
    function: int
    """Id of the API function last entered."""
    depth: int
    """Nested callbacks."""
    running_us: int
    """How long the outermost callback has been running; 0: none is."""
    used_bytes: int
    """Memory that the module holds."""
    timers: int
    """Pending timers."""
    blocked: int
    """Blocked clients."""


@final
@dataclass(frozen=True, slots=True)
class SetLimits(Body):
    """Bounds that may change while the module serves."""

    TYPE: ClassVar[str] = "set_limits"

    memory_bytes: int
    """Address space; 0: no bound."""
    files: int
    """Open files."""
    threads: int
    """Threads and processes."""
    cpu_s: int
    """Seconds of CPU; 0: no bound."""
    command_ms: int
    """One command; 0: no bound."""
    log_lines_s: int
    """Lines a second."""


@final
@dataclass(frozen=True, slots=True)
class SetLimitsAnswer(Body):
    """Answer to set_limits."""

    TYPE: ClassVar[str] = "set_limits_answer"

    refused: int
    """Bit n: the n-th bound could not be set."""
    errno_last: int
    """Why."""


@final
@dataclass(frozen=True, slots=True)
class Stop(Body):
    """The helper is to leave by itself within the time, without the unload function."""

    TYPE: ClassVar[str] = "stop"

    grace_ms: int
    """After that it is killed."""


# A row per message: number, name, channel, sender, role, longest body, states, marks; then its fields.
MESSAGES: Final = Table.parse(
    magic=0x57525254,
    versions=(VERSION_MIN, VERSION_MAX),
    rows="""
2 hello control host request 1024 greeting once,detached version_min:u16 version_max:u16 build_id:bytes<=64 pid:u32
  abi:u32
3 hello_answer control engine answer 1024 greeting - version:u16 server_version:u32 build_id:bytes<=64 nest_max:u16
  queue_max:u16 command_ms_max:u32 message_bytes_max:u32
4 walls control host one_way 65536 greeting,ready,loading,idle,floor,unloading - step:u8<=2 names:[bytes]<=64
  standing:[u64]=1*names details:[bytes]=1*names
6 load_module control engine request 1048576 ready once,detached path:bytes<=4096 args:[bytes] commands:[bytes]
7 load_module_answer control host answer 1048576 ready - outcome:u8<=6 reason:bytes<=4096 name:bytes<=256 version:i64
  api_version:i64 options:u64 commands:[bytes] types:[bytes] configs:[bytes] filters:u32 missing:[bytes] base:u64
  load_us:u64
8 unload_module control engine request 0 idle detached
9 unload_module_answer control host answer 65536 idle - outcome:u8<=3 reason:bytes<=4096
10 log control host one_way 65536 greeting,ready,loading,idle,floor,unloading - level:u8<=3 source:u8<=2 thread:u32
  time_us:i64 dropped:u32 text:bytes<=8192
12 crash control host one_way 65536 greeting,ready,loading,idle,floor,unloading once kind:u8<=4 signal:u32 code:i64
  address:u64 thread:u32 text:bytes<=4096
14 ping control engine request 1024 ready,loading,idle,floor,unloading detached token:u64
15 ping_answer control host answer 1024 ready,loading,idle,floor,unloading - token:u64 function:u32 depth:u16
  running_us:u64 used_bytes:u64 timers:u32 blocked:u32
16 set_limits control engine request 1024 ready,loading,idle,floor,unloading detached memory_bytes:u64 files:u32
  threads:u32 cpu_s:u32 command_ms:u32 log_lines_s:u32
17 set_limits_answer control host answer 1024 ready,loading,idle,floor,unloading - refused:u32 errno_last:u32
18 stop control engine one_way 1024 greeting,ready,loading,idle,floor,unloading once grace_ms:u32
64 run_command data engine request 537919488 idle,floor - command:u32 purpose:u8<=2 client_id:u64 client_flags:u64
  context_flags:u64 db:u32 resp:u8<=3 now_us:i64 user:bytes<=4096 argv:[bytes]<=1048576
65 run_command_answer data host answer 537919488 idle,floor - reply:bytes effects:u64 error_codes:[bytes]<=64
  positions:[u64]<=1048576 position_flags:[u64]=1*positions redacted:[u64]<=1048576
66 grant_floor data engine request 1024 ready,loading,idle,floor,unloading - ask:u64 purpose:u8<=6 now_us:i64
  context_flags:u64
67 grant_floor_answer data host answer 1024 ready,loading,idle,floor,unloading - ask:u64 outcome:u8<=1
68 ask_floor data host one_way 1024 loading,idle,floor,unloading - ask:u64 purpose:u8<=4 due_us:i64
70 drop_ask data host one_way 1024 loading,idle,floor,unloading - ask:u64
72 try_floor data host request 1024 loading,idle,floor,unloading detached ask:u64
73 try_floor_answer data engine answer 1024 loading,idle,floor,unloading - granted:u8<=1
74 yield data host request 65536 loading,floor,unloading - flags:u64 text:bytes<=4096
75 yield_answer data engine answer 1024 loading,floor,unloading - now_us:i64
76 heartbeat data host one_way 1024 loading,idle,floor,unloading - what:u8<=3 child:u32 progress:f64 status:i64
80 register_command data host request 65536 loading - parent:u32 name:bytes<=4096 flags:bytes<=4096 first_key:i64
  last_key:i64 key_step:i64 container:u8<=1
81 register_command_answer data engine answer 1024 loading - outcome:u8<=3 command:u32
82 command_info data host request 1048576 loading - command:u32 summary:bytes complexity:bytes since:bytes tips:bytes
  arity:i64 history_since:[bytes]<=1024 history_changes:[bytes]=1*history_since spec_notes:[bytes]<=1024
  spec_flags:[u64]=1*spec_notes spec_begin:[u64]=1*spec_notes spec_keywords:[bytes]=1*spec_notes
  spec_from:[i64]=1*spec_notes spec_find:[u64]=1*spec_notes spec_numbers:[i64]=3*spec_notes arg_names:[bytes]<=4096
  arg_parents:[i64]=1*arg_names arg_types:[u64]=1*arg_names arg_specs:[i64]=1*arg_names
  arg_tokens:[bytes]=1*arg_names arg_summaries:[bytes]=1*arg_names arg_since:[bytes]=1*arg_names
  arg_deprecated:[bytes]=1*arg_names arg_displays:[bytes]=1*arg_names arg_flags:[u64]=1*arg_names present:u64
83 command_info_answer data engine answer 1024 loading - outcome:u8<=2
84 command_categories data host request 65536 loading - command:u32 categories:bytes<=4096
85 command_categories_answer data engine answer 1024 loading - outcome:u8<=2
86 add_category data host request 1024 loading - name:bytes<=512
87 add_category_answer data engine answer 1024 loading - outcome:u8<=4
88 command_keys data host request 537919488 loading,floor,unloading - argv:[bytes]<=1048576
89 command_keys_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=3 positions:[u64]<=1048576
  flags:[u64]=1*positions
90 register_filter data host request 1024 loading,floor,unloading - flags:u64
91 register_filter_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1 filter:u32
92 unregister_filter data host one_way 1024 loading,floor,unloading - filter:u32
94 run_filter data engine request 537919488 loading,idle,floor - filters:[u64]<=1024 client_id:u64
  argv:[bytes]<=1048576
95 run_filter_answer data host answer 537919488 loading,idle,floor - changed:u8<=1 argv:[bytes]<=1048576
128 open_key data host request 537919488 loading,floor,unloading - db:u32 mode:u32 want_bytes:u32 name:bytes
129 open_key_answer data engine answer 537919488 loading,floor,unloading - key:u32 kind:u8<=7 length:u64
  expire_ms:i64 type:u32 token:u64 value:bytes
130 close_key data host one_way 1024 loading,floor,unloading - key:u32
132 delete_key data host one_way 1024 loading,floor,unloading - key:u32 lazily:u8<=1
134 set_expire data host one_way 1024 loading,floor,unloading - key:u32 expire_ms:i64
136 key_exists data host request 537919488 loading,floor,unloading - db:u32 name:bytes
137 key_exists_answer data engine answer 1024 loading,floor,unloading - exists:u8<=1
138 db_size data host request 1024 loading,floor,unloading - db:u32
139 db_size_answer data engine answer 1024 loading,floor,unloading - keys:u64
140 random_key data host request 1024 loading,floor,unloading - db:u32
141 random_key_answer data engine answer 537919488 loading,floor,unloading - found:u8<=1 name:bytes
142 get_age data host request 1024 loading,floor,unloading - key:u32 frequency:u8<=1
143 get_age_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1 value:i64
144 set_age data host request 1024 loading,floor,unloading - key:u32 frequency:u8<=1 value:i64
145 set_age_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
146 select_db data host request 1024 loading,floor,unloading - db:u32
147 select_db_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
148 signal_modified data host one_way 537919488 loading,floor,unloading - db:u32 name:bytes
150 known_keys data engine one_way 1048576 idle,floor - unit:u64 seen:u64 db:u32 positions:[u64]<=8
  kinds:[u64]=1*positions lengths:[u64]=1*positions expires_ms:[i64]=1*positions types:[u64]=1*positions
  tokens:[u64]=1*positions values:[bytes]=1*positions
152 open_known data host one_way 537919488 loading,floor,unloading - key:u32 db:u32 mode:u32 name:bytes
160 string_set data host one_way 537919488 loading,floor,unloading - key:u32 value:bytes
162 string_get data host request 1024 loading,floor,unloading - key:u32 offset:u64 bytes_max:u64
163 string_get_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=1 length:u64 value:bytes
164 string_write data host one_way 537919488 loading,floor,unloading - key:u32 offset:u64 value:bytes
166 string_truncate data host one_way 1024 loading,floor,unloading - key:u32 length:u64
176 call data host request 537919488 loading,floor,unloading - db:u32 client_id:u64 user:u64 flags:u64 resp:u8<=3
  argv:[bytes]<=1048576
177 call_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=2 errno_value:u32 promise:u64
  reply:bytes
178 call_done data engine request 537919488 idle,floor - promise:u64 reply:bytes
179 call_done_answer data host answer 1024 idle,floor - outcome:u8<=1
180 abort_promise data host request 1024 loading,floor,unloading - promise:u64
181 abort_promise_answer data engine answer 1024 loading,floor,unloading - aborted:u8<=1
182 replicate data host one_way 537919488 loading,floor,unloading - flags:u64 db:u32 argv:[bytes]<=1048576
184 replicate_verbatim data host one_way 0 loading,floor,unloading -
186 avoid_replica_traffic data host request 0 loading,floor,unloading -
187 avoid_replica_traffic_answer data engine answer 1024 loading,floor,unloading - avoid:u8<=1
192 register_type data host request 1024 loading - name:bytes<=9 encver:u32 methods:u64 aux_when:u32
193 register_type_answer data engine answer 1024 loading - outcome:u8<=3 type:u32
194 set_value data host one_way 1024 loading,floor,unloading - key:u32 type:u32 token:u64 keep_old:u8<=1
196 type_load data engine request 537919488 idle,floor - type:u32 encver:u32 db:u32 name:bytes payload:bytes
197 type_load_answer data host answer 1024 idle,floor - outcome:u8<=2 token:u64
198 type_save data engine request 537919488 idle,floor - type:u32 token:u64 db:u32 name:bytes
199 type_save_answer data host answer 537919488 idle,floor - outcome:u8<=1 payload:bytes
200 type_rewrite data engine request 537919488 idle,floor - type:u32 token:u64 db:u32 name:bytes
201 type_rewrite_answer data host answer 537919488 idle,floor - outcome:u8<=1 args:[bytes] arg_counts:[u64]
202 type_free data engine one_way 1048576 idle,floor - types:[u64]<=65536 tokens:[u64]=1*types
204 type_unlink data engine one_way 537919488 idle,floor - type:u32 token:u64 db:u32 name:bytes
206 type_copy data engine request 537919488 idle,floor - type:u32 token:u64 from_db:u32 to_db:u32 from_name:bytes
  to_name:bytes
207 type_copy_answer data host answer 1024 idle,floor - token:u64
208 type_mem_usage data engine request 537919488 idle,floor - type:u32 token:u64 samples:u64 db:u32 name:bytes
209 type_mem_usage_answer data host answer 1024 idle,floor - size_bytes:u64
210 type_free_effort data engine request 537919488 idle,floor - type:u32 token:u64 db:u32 name:bytes
211 type_free_effort_answer data host answer 1024 idle,floor - effort:u64
212 type_digest data engine request 537919488 idle,floor - type:u32 token:u64 db:u32 name:bytes
213 type_digest_answer data host answer 1024 idle,floor - digest:bytes<=20
214 type_aux_save data engine request 1024 idle,floor - type:u32 when:u8<=2
215 type_aux_save_answer data host answer 537919488 idle,floor - outcome:u8<=1 payload:bytes
216 type_aux_load data engine request 537919488 idle,floor - type:u32 encver:u32 when:u8<=2 payload:bytes
217 type_aux_load_answer data host answer 1024 idle,floor - outcome:u8<=2
218 keep_values data engine one_way 1024 idle,floor - wanted:u8<=1
220 values_now data host one_way 537919488 loading,floor,unloading - tokens:[u64]<=1048576 payloads:[bytes]=1*tokens
222 snapshot data engine request 1024 idle,floor - number:u64 in_child:u8<=1 time_ms:u32
223 snapshot_answer data host answer 1024 idle,floor - outcome:u8<=2
224 snapshot_part data host one_way 537919488 loading,idle,floor,unloading - number:u64 tokens:[u64]<=1048576
  payloads:[bytes]=1*tokens
226 snapshot_end data host one_way 1024 loading,idle,floor,unloading - number:u64 outcome:u8<=2
240 block_client data host one_way 537919488 floor - block:u64 timeout_ms:i64 callbacks:u64 flags:u64
  keys:[bytes]<=1048576
242 unblock_client data host one_way 537919488 loading,idle,floor,unloading - block:u64 aborted:u8<=1 reply:bytes
  background_us:u64
244 run_blocked data engine request 537919488 idle,floor - block:u64 why:u8<=4 client_id:u64 client_flags:u64
  context_flags:u64 db:u32 resp:u8<=3 now_us:i64 ready_key:bytes argv:[bytes]<=1048576
245 run_blocked_answer data host answer 537919488 idle,floor - outcome:u8<=1 reply:bytes effects:u64
  error_codes:[bytes]<=64
246 signal_ready data host one_way 537919488 loading,floor,unloading - db:u32 name:bytes
256 subscribe_event data host request 1024 loading,floor,unloading - event:u64 wanted:u8<=1
257 subscribe_event_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
258 server_event data engine request 1048576 loading,idle,floor - event:u64 subevent:u64 context_flags:u64 now_us:i64
  numbers:[i64]<=64 texts:[bytes]<=64
259 server_event_answer data host answer 0 loading,idle,floor -
260 subscribe_keyspace data host request 1024 loading,floor,unloading - classes:u64 subscription:u32
261 subscribe_keyspace_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
262 keyspace_event data engine request 537919488 loading,idle,floor - event_class:u64 subscriptions:[u64]<=1024
  context_flags:u64 db:u32 event:bytes<=4096 name:bytes
263 keyspace_event_answer data host answer 0 loading,idle,floor -
264 notify_keyspace data host one_way 537919488 loading,floor,unloading - event_class:u64 db:u32 event:bytes<=4096
  name:bytes
266 notify_classes data host request 0 loading,floor,unloading -
267 notify_classes_answer data engine answer 1024 loading,floor,unloading - classes:u64
268 add_job data host one_way 1024 loading,floor,unloading - job:u64
270 run_job data engine request 1024 loading,idle,floor - job:u64 context_flags:u64
271 run_job_answer data host answer 0 loading,idle,floor -
272 register_info data host request 0 loading,floor,unloading -
273 register_info_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
274 run_info data engine request 65536 idle,floor - all:u8<=1 crash:u8<=1 sections:[bytes]<=1024
275 run_info_answer data host answer 1048576 idle,floor - text:bytes
276 server_info data host request 1024 loading,floor,unloading - section:bytes<=512
277 server_info_answer data engine answer 1048576 loading,floor,unloading - text:bytes
288 publish data host request 537919488 loading,floor,unloading - shard:u8<=1 channel:bytes message:bytes
289 publish_answer data engine answer 1024 loading,floor,unloading - receivers:u64
290 client_info data host request 1024 loading,floor,unloading - client_id:u64
291 client_info_answer data engine answer 65536 loading,floor,unloading - found:u8<=1 flags:u64 port:u16 db:u32
  address:bytes<=256 name:bytes<=16384 user:bytes<=16384
292 set_client_name data host request 65536 loading,floor,unloading - client_id:u64 name:bytes<=16384
293 set_client_name_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=2
294 client_certificate data host request 1024 loading,floor,unloading - client_id:u64
295 client_certificate_answer data engine answer 65536 loading,floor,unloading - found:u8<=1 pem:bytes
296 redact data host one_way 1024 floor - position:u32
298 memory_ratio data host request 0 loading,floor,unloading -
299 memory_ratio_answer data engine answer 1024 loading,floor,unloading - ratio:f64
300 latency_sample data host one_way 1024 loading,idle,floor,unloading - latency_ms:i64 event:bytes<=512
302 module_options data host one_way 1024 loading,floor,unloading - options:u64 version:i64 api_version:i64
  name:bytes<=512
304 name_busy data host request 1024 loading,floor,unloading - name:bytes<=512
305 name_busy_answer data engine answer 1024 loading,floor,unloading - busy:u8<=1
306 memory_used data host one_way 1024 loading,idle,floor,unloading - used_bytes:u64 peak_bytes:u64
308 shared_api data host one_way 1024 loading,floor,unloading - used:u8<=1 found:u8<=1 name:bytes<=512
320 create_user data host one_way 65536 loading,floor,unloading - user:u64 name:bytes<=16384
322 free_user data host one_way 1024 loading,idle,floor,unloading - user:u64
324 set_user_rules data host request 1048576 loading,floor,unloading - user:u64 rules:[bytes]<=65536
325 set_user_rules_answer data engine answer 65536 loading,floor,unloading - outcome:u8<=1 reason:bytes<=4096
326 user_rules data host request 1024 loading,floor,unloading - user:u64
327 user_rules_answer data engine answer 1048576 loading,floor,unloading - found:u8<=1 rules:bytes
328 find_user data host request 65536 loading,floor,unloading - user:u64 name:bytes<=16384
329 find_user_answer data engine answer 1024 loading,floor,unloading - found:u8<=1
330 check_user data host request 537919488 loading,floor,unloading - user:u64 what:u8<=2 flags:u64
  argv:[bytes]<=1048576
331 check_user_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=4 errno_value:u32
332 acl_log data host one_way 65536 loading,floor,unloading - reason:u8<=3 user:u64 name:bytes<=16384
  object:bytes<=16384
334 register_auth data host one_way 1024 loading,floor,unloading - callback:u32
336 run_auth data engine request 65536 idle,floor - callback:u32 client_id:u64 context_flags:u64 user:bytes<=16384
  password:bytes<=16384
337 run_auth_answer data host answer 65536 idle,floor - outcome:u8<=3 error:bytes<=4096 effects:u64
338 authenticate data host request 65536 loading,floor,unloading - client_id:u64 user:u64 watch:u64 name:bytes<=16384
339 authenticate_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3
340 user_changed data engine request 1024 idle,floor - watch:u64 client_id:u64
341 user_changed_answer data host answer 0 idle,floor -
342 deauthenticate data host request 1024 loading,floor,unloading - client_id:u64
343 deauthenticate_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1
352 register_config data host request 65536 loading - config:u32 kind:u8<=3 flags:u64 number:i64 min:i64 max:i64
  name:bytes<=512 text:bytes<=16384 enum_names:[bytes]<=1024 enum_values:[i64]=1*enum_names apply:u64
353 register_config_answer data engine answer 1024 loading - outcome:u8<=3
354 config_get data engine request 1024 loading,idle,floor - config:u32
355 config_get_answer data host answer 65536 loading,idle,floor - number:i64 text:bytes
356 config_set data engine request 65536 loading,idle,floor - config:u32 number:i64 text:bytes
357 config_set_answer data host answer 1024 loading,idle,floor - outcome:u8<=1 reason:bytes<=255
358 config_apply data engine request 1024 loading,idle,floor - apply:u64
359 config_apply_answer data host answer 1024 loading,idle,floor - outcome:u8<=1 reason:bytes<=255
360 load_configs data host request 0 loading -
361 load_configs_answer data engine answer 1024 loading - outcome:u8<=1
368 scan data host request 1024 loading,floor,unloading - db:u32 cursor:u64 count:u32
369 scan_answer data engine answer 537919488 loading,floor,unloading - cursor:u64 names:[bytes]<=65536
  kinds:[u64]=1*names lengths:[u64]=1*names expires_ms:[i64]=1*names types:[u64]=1*names tokens:[u64]=1*names
370 scan_key data host request 1024 loading,floor,unloading - key:u32 cursor:u64 count:u32
371 scan_key_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=1 cursor:u64 elements:[bytes]
  values:[bytes]
384 list_push data host one_way 537919488 loading,floor,unloading - key:u32 tail:u8<=1 value:bytes
386 list_pop data host request 1024 loading,floor,unloading - key:u32 tail:u8<=1
387 list_pop_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=3 length:u64 value:bytes
388 list_get data host request 1024 loading,floor,unloading - key:u32 index:i64 before:u32 after:u32
389 list_get_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=2 first:i64
  values:[bytes]<=65536
390 list_change data host request 537919488 loading,floor,unloading - key:u32 what:u8<=2 index:i64 value:bytes
391 list_change_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 length:u64
400 hash_set data host request 537919488 loading,floor,unloading - key:u32 flags:u64 names:[bytes]<=1048576
  deletes:[u64]=1*names values:[bytes]=1*names
401 hash_set_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 count:u64 length:u64
402 hash_get data host request 537919488 loading,floor,unloading - key:u32 exists:u8<=1 names:[bytes]<=1048576
403 hash_get_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=2 found:[u64]<=1048576
  values:[bytes]=1*found
416 zset_add data host request 537919488 loading,floor,unloading - key:u32 increment:u8<=1 flags:u64 score:f64
  member:bytes
417 zset_add_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 flags:u64 score:f64 length:u64
418 zset_score data host request 537919488 loading,floor,unloading - key:u32 member:bytes
419 zset_score_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=2 score:f64
420 zset_remove data host request 537919488 loading,floor,unloading - key:u32 member:bytes
421 zset_remove_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 removed:u8<=1 length:u64
422 zset_range data host request 537919488 loading,floor,unloading - key:u32 kind:u8<=1 last:u8<=1 exclusive:u8<=3
  min:f64 max:f64 min_text:bytes max_text:bytes skip:u64 count:u32
423 zset_range_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=3 more:u8<=1
  members:[bytes]<=65536 scores:[f64]=1*members
432 stream_add data host request 537919488 loading,floor,unloading - key:u32 auto_id:u8<=1 id_ms:u64 id_seq:u64
  names:[bytes]<=1048576 values:[bytes]=1*names
433 stream_add_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=4 id_ms:u64 id_seq:u64 length:u64
434 stream_delete data host request 1024 loading,floor,unloading - key:u32 id_ms:u64 id_seq:u64
435 stream_delete_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 length:u64
436 stream_range data host request 1024 loading,floor,unloading - key:u32 reverse:u8<=1 exclusive:u8<=3 start_ms:u64
  start_seq:u64 end_ms:u64 end_seq:u64 count:u32
437 stream_range_answer data engine answer 537919488 loading,floor,unloading - outcome:u8<=2 more:u8<=1
  field_counts:[u64]<=65536 ids:[u64]=2*field_counts names:[bytes] values:[bytes]=1*names
438 stream_trim data host request 1024 loading,floor,unloading - key:u32 by_id:u8<=1 approximately:u8<=1 length:u64
  id_ms:u64 id_seq:u64
439 stream_trim_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=3 removed:u64 length:u64
448 cluster_send data host request 537919488 loading,floor,unloading - type:u8 target:bytes<=40 payload:bytes
449 cluster_send_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=2
450 cluster_receive data host one_way 1024 loading,floor,unloading - type:u8 wanted:u8<=2 flags:u64
452 cluster_message data engine request 537919488 idle,floor - type:u8 sender:bytes<=40 payload:bytes
453 cluster_message_answer data host answer 0 idle,floor -
454 cluster_nodes data host request 1024 loading,floor,unloading - node:bytes<=40
455 cluster_nodes_answer data engine answer 1048576 loading,floor,unloading - enabled:u8<=1 me:bytes<=40
  ids:[bytes]<=16384 addresses:[bytes]=1*ids ports:[u64]=1*ids flags:[u64]=1*ids primaries:[bytes]=1*ids
464 rdb data host request 65536 loading,floor,unloading - load:u8<=1 flags:u64 path:bytes<=4096
465 rdb_answer data engine answer 1024 loading,floor,unloading - outcome:u8<=1 errno_value:u32
466 reset_dataset data host request 1024 loading,floor,unloading - restart_aof:u8<=1 lazily:u8<=1
467 reset_dataset_answer data engine answer 0 loading,floor,unloading -
""",
    bodies=(
        Hello,
        HelloAnswer,
        Walls,
        LoadModule,
        LoadModuleAnswer,
        UnloadModule,
        UnloadModuleAnswer,
        Log,
        Crash,
        Ping,
        PingAnswer,
        SetLimits,
        SetLimitsAnswer,
        Stop,
    ),
)
