// What a caller hands to the client. Plain values; every view must stay valid only for the call it is given
// to.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/control_record.h"
#include "core/info.h"
#include "core/limits.h"
#include "core/partition.h"
#include "core/submit_record.h"
#include "shm/abi.h"

namespace pqd {

using Milliseconds = std::chrono::milliseconds;
inline constexpr Milliseconds kForever{-1};

struct ConnectOptions {
  std::string socket{};                 // empty: PQD_SOCKET, $XDG_RUNTIME_DIR/pqd/pqd.sock, /run/pqd/pqd.sock
  std::string name{};                   // shown in listings, at most 31 bytes; empty: the program's
  SegmentSizes sizes{{}, 0, 0, 0};      // each 0 = the default, see shm/abi.h for the rest
  uint32_t connect_timeout_ms = 5'000;  // for one connection with its handshake
  uint32_t reconnect_timeout_ms = 30'000;  // how long operations wait for a daemon that went away; 0 = never
  // How long a submit or settlement waits for room in its lane once the daemon is there; 0 = for nothing,
  // also not for a daemon that is away.
  uint32_t submit_timeout_ms = 5'000;
  uint32_t answer_timeout_ms = 30'000;         // for queries and commands
  Durability durability = Durability::kFsync;  // of submits that name none
};

// One job. Ranges and meaning as in core/submit_record.h and core/limits.h; all defaults are the queue's.
struct SubmitRequest {
  std::string_view type{};
  std::string_view queue = "default";
  ByteView payload{};
  Mode mode = Mode::kFifo;
  uint8_t priority = kPriorityNormal;  // 1..20
  Delivery delivery = Delivery::kAtLeastOnce;
  std::optional<Durability> durability{};  // nothing = as the client was connected with
  bool backoff_jitter = false;
  uint16_t max_attempts = 0;                    // 0 = as the queue says
  int64_t not_before_ms = 0;                    // Unix milliseconds; 0 = now
  uint32_t queue_timeout_ms = kTimeoutDefault;  // 0 = for ever
  uint32_t processing_timeout_ms = kTimeoutDefault;
  uint32_t backoff_first_ms = kTimeoutDefault;
  uint32_t backoff_cap_ms = kTimeoutDefault;
  std::string_view idempotency_key{};
  std::string_view ordering_key{};
  std::string_view subject{};
  std::string_view traceparent{};
  std::string_view metadata{};  // JSON
};

// Names one record that was sent, so that its outcome can be asked for. A value: copy it, keep it, drop it.
struct Ticket {
  JobId id{};               // of the job that it is about; nothing for commands
  uint64_t sequence = 0;    // of the record within its lane; 0 = no ticket
  uint32_t generation = 0;  // of the connection that carried it first
  uint8_t lane = 0;
  Durability durability = Durability::kFsync;
  PartitionNo partition = 0;  // of the connection
};

// A record was accepted.
struct Outcome {
  JobId id{};                       // of the job; the first one's when `duplicate`
  bool duplicate = false;           // the idempotency key was known: this job was not made again
  std::optional<JobState> state{};  // of the first job when `duplicate`, as far as the daemon knows it still
};

struct FlushReport {
  uint64_t refused = 0;      // submits and settlements refused since the last flush; commands do not count
  Error first = Error::kOk;  // why the first of them was
};

struct ListFilter {
  std::string_view queue{};  // empty = all
  std::string_view type{};   // empty = all
  uint8_t states = 0;        // a bit (1 << JobState) each; 0 = all
  int64_t since_ms = 0;      // created at or after, Unix milliseconds, as the job's id says; 0 = all
  int64_t until_ms = 0;      // created before; 0 = all
  std::optional<uint32_t> owner_uid{};
  uint32_t limit = 50;  // 1..1'000; of dead letters 1..100
  JobId older_than{};   // for the next page: the last id of this one
  // Of dead letters: oldest life first, beginning above this number; for the next page: the last one's
  // core.no. Over several partitions one after the other, which their numbers say in their highest bits.
  std::optional<JobNo> newer_than{};
};

struct MetricsQuery {
  int64_t since_ms = 0;  // what happened at or after, Unix milliseconds; 0 = as far back as there are figures
  int64_t until_ms = 0;  // what happened before; 0 = up to now
  std::string_view queue{};  // empty = all
  std::string_view type{};   // empty = all
  bool by_queue = false;
  bool by_type = false;
  uint32_t limit = 1'000;  // of queues and of types, the busiest first; 1..1'000
};

// What became of a command about many jobs.
struct ManyOutcome {
  uint64_t done = 0;
  uint64_t gone = 0;  // those that were no dead letters any more
};

// A schedule: jobs that the daemon makes by itself. The job takes no delay, no idempotency key and not the
// durability `memory`; with all it has it is 16 KiB at most.
struct ScheduleRequest {
  std::string_view name{};        // as names of queues
  std::string_view spec{};        // see core/cron_spec.h
  std::string_view zone = "UTC";  // an IANA name, such as "Europe/Berlin"
  SubmitRequest job{};
  bool replace = false;  // one of this name may be there, and goes
};

struct Subscription {
  std::string_view queue = "default";
  std::vector<std::string_view> types{};  // none = every type
  uint32_t credits = 1;                   // most jobs held unsettled under it
};

// Which changes of jobs are told. Those that this caller may not see are not.
struct WatchOptions {
  std::string_view queue{};  // empty = all; it need not be there yet
  std::string_view type{};   // empty = all
  JobId job{};               // empty = all
  uint8_t states = 0;        // only changes that lead to one of these, a bit (1 << JobState) each; 0 = all
  std::optional<uint32_t> owner_uid{};
  // First so many of the latest changes; the daemon remembers about a thousand. A watch over several
  // partitions begins with so many of each.
  uint32_t last = 0;
};

struct ExtendRequest {
  uint32_t extend_ms = 0;   // the lease's new length from now; 0 = the job's processing timeout
  uint8_t progress = 0;     // 0..100
  std::string_view note{};  // at most limits::kNoteBytesMax
};

// Counted since connect().
struct ClientCounters {
  uint64_t submitted = 0;
  uint64_t submits_refused = 0;
  uint64_t settlements_refused = 0;
  uint64_t deliveries = 0;
  uint64_t reconnects = 0;
  uint64_t resubmitted = 0;
};

}  // namespace pqd
