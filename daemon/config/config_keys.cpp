// Every setting there is. A new one is a member in config.h (or core/queue_settings.h), a line here and, as a
// test demands, a line in README.md.
#include <cstdlib>

#include "core/queue_keys.h"
#include "daemon/config/config_key.h"

namespace pqd {
namespace {

using std::string_view;

constexpr uint64_t kMiB = 1ull << 20;
constexpr uint64_t kPiB = 1ull << 50;
constexpr uint64_t kSecondMs = 1'000;

constexpr uint64_t kStateDirBytesMax = 4'000;  // leaves room for the names in it
constexpr uint64_t kSocketBytesMax = 107;      // sockaddr_un, less the zero
constexpr uint64_t kSessionsMax = 100'000;
constexpr uint64_t kRateMax = 100'000'000;

// In the order of the enums.
constexpr string_view kEventLoops[] = {"auto", "io_uring", "epoll"};
constexpr string_view kFairnesses[] = {"off", "user", "key"};
constexpr string_view kLogLevels[] = {"debug", "info", "warn", "error"};

constexpr ConfigKey<DaemonConfig> kDaemonKeys[] = {
    {{.name = "state_dir",
      .form = ValueForm::kPath,
      .least = 1,
      .most = kStateDirBytesMax,
      .meaning = "the directory of all that is durable; one daemon each"},
     &DaemonConfig::state_dir},
    {{.name = "socket",
      .form = ValueForm::kPath,
      .least = 1,
      .most = kSocketBytesMax,
      .meaning = "where clients find the daemon"},
     &DaemonConfig::socket},
    {{.name = "sessions_max",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = kSessionsMax,
      .meaning = "clients connected at once; each takes five descriptors"},
     &DaemonConfig::sessions_max},
    {{.name = "user_sessions_max",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = kSessionsMax,
      .meaning = "of these one user's; root and the daemon's own user may have all"},
     &DaemonConfig::user_sessions_max},
    {{.name = "session_memory_bytes",
      .form = ValueForm::kBytes,
      .least = kMiB,
      .most = kPiB,
      .meaning = "shared memory of all clients together; a client with default sizes takes 7 MiB"},
     &DaemonConfig::session_memory_bytes},
    {{.name = "user_session_memory_bytes",
      .form = ValueForm::kBytes,
      .least = kMiB,
      .most = kPiB,
      .meaning = "of these one user's; root and the daemon's own user may have all"},
     &DaemonConfig::user_session_memory_bytes},
    {{.name = "max_payload_bytes",
      .form = ValueForm::kBytes,
      .least = 1,
      .most = limits::kPayloadBytesMax,
      .meaning = "the largest payload of a job; clients keep room for the largest that it ever was"},
     &DaemonConfig::max_payload_bytes},
    {{.name = "engine_backoff_max",
      .form = ValueForm::kDuration,
      .least = 10,
      .most = 60 * kSecondMs,
      .meaning = "the longest wait before the engine is started again; the first restart waits for nothing"},
     &DaemonConfig::engine_backoff_max_ms},
    {{.name = "event_loop",
      .form = ValueForm::kWord,
      .words = kEventLoops,
      .meaning = "`auto` is io_uring where it is to be had, else epoll"},
     &DaemonConfig::event_loop},
    {{.name = "log_level",
      .form = ValueForm::kWord,
      .words = kLogLevels,
      .meaning = "the least grave lines that are still written, by both processes"},
     &DaemonConfig::log_level},
};

constexpr ConfigKey<EngineConfig> kEngineKeys[] = {
    {{.name = "partitions",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = limits::kPartitionsMax,
      .meaning = "workers that share the queues out among them, each with a thread of its own; fixed when "
                 "the store is made, see `docs/partitions.md`"},
     &EngineConfig::partitions},
    {{.name = "spin_us",
      .form = ValueForm::kNumber,
      .most = 1'000,
      .automatic = true,
      .zero = "not at all",
      .meaning = "microseconds that a worker looks for more work before it sleeps, so that nobody has to "
                 "wake it; `auto` is 50 where there are at least two CPUs more than partitions, else 0"},
     &EngineConfig::spin_us},
    {{.name = "payload_memory_bytes",
      .form = ValueForm::kBytes,
      .most = kPiB,
      .zero = "only what the store has not yet",
      .meaning = "memory for the payloads of jobs that wait; those beyond it stay in the store alone and are "
                 "read when they are wanted"},
     &EngineConfig::payload_memory_bytes},
};

constexpr ConfigKey<QueuesConfig> kQueuesKeys[] = {
    {{.name = "strict",
      .form = ValueForm::kFlag,
      .meaning = "no queue but `default` and those with a table `[queue.NAME]`; else a submit creates it"},
     &QueuesConfig::strict},
};

// Core knows the setting of this name: its member, and the range that the broker demands.
constexpr ConfigKey<QueueSettings> of_queue(KeyRules rules) {
  for (const QueueKey& key : kQueueKeys) {
    if (key.name != rules.name) continue;
    const bool word = rules.form == ValueForm::kWord;
    if (!word) rules.least = key.least;
    if (!word) rules.most = key.most;
    return std::visit([&](auto member) { return ConfigKey<QueueSettings>{rules, member}; }, key.member);
  }
  std::abort();
}

constexpr ConfigKey<QueueSettings> kQueueTableKeys[] = {
    of_queue(
        {.name = "max_depth", .form = ValueForm::kNumber, .meaning = "jobs pending, assigned or processing"}),
    of_queue({.name = "max_bytes", .form = ValueForm::kBytes, .meaning = "bytes of their payloads"}),
    of_queue({.name = "admission_timeout",
              .form = ValueForm::kDuration,
              .zero = "refused at once",
              .meaning = "how long a submit waits for room before `QUEUE_FULL`"}),
    of_queue({.name = "queue_timeout",
              .form = ValueForm::kDuration,
              .zero = "for ever",
              .meaning = "how long a job waits once it is ready"}),
    of_queue({.name = "processing_timeout", .form = ValueForm::kDuration, .meaning = "a lease's length"}),
    of_queue({.name = "batch_size",
              .form = ValueForm::kNumber,
              .meaning = "jobs of mode `batch` that are delivered together"}),
    of_queue({.name = "batch_interval",
              .form = ValueForm::kDuration,
              .meaning = "how long a batch collects at most, from its first job"}),
    of_queue({.name = "max_active",
              .form = ValueForm::kNumber,
              .zero = "no limit",
              .meaning = "jobs assigned or processing at once"}),
    of_queue({.name = "max_attempts",
              .form = ValueForm::kNumber,
              .meaning = "deliveries of a job before it is a dead letter"}),
    of_queue({.name = "backoff",
              .form = ValueForm::kDuration,
              .zero = "at once",
              .meaning = "the wait before the second attempt, doubled before each further one"}),
    of_queue({.name = "backoff_cap",
              .form = ValueForm::kDuration,
              .zero = "at once",
              .meaning = "the longest such wait; not shorter than `backoff`"}),
    of_queue({.name = "starvation_guard",
              .form = ValueForm::kNumber,
              .zero = "strictly by rank",
              .meaning = "every n-th dispatch goes to the job that has waited longest"}),
    of_queue({.name = "fair",
              .form = ValueForm::kWord,
              .words = kFairnesses,
              .meaning = "who takes turns within a rank: nobody (arrival order), users, or ordering keys"}),
};
static_assert(std::size(kQueueTableKeys) == std::size(kQueueKeys));

constexpr ConfigKey<LimitsConfig> kLimitsKeys[] = {
    {{.name = "rate_limit",
      .form = ValueForm::kNumber,
      .most = kRateMax,
      .zero = "unlimited",
      .meaning =
          "submits per user and minute, as many at once; unlimited are root, the daemon's own user and "
          "services, which are those that `[access.user]` names"},
     &LimitsConfig::rate_limit},
};

constexpr ConfigKey<AccessTable> kAccessKeys[] = {
    {{.name = "producer", .form = ValueForm::kQueues, .meaning = "may submit into these queues"},
     &AccessTable::producer},
    {{.name = "consumer",
      .form = ValueForm::kWork,
      .meaning = "may be given jobs of these queues, of these types or of all"},
     &AccessTable::consumer},
    {{.name = "operator",
      .form = ValueForm::kFlag,
      .meaning = "sees everything; pauses, resumes and drains queues, reviews and redrives dead letters"},
     &AccessTable::operates},
    {{.name = "admin", .form = ValueForm::kFlag, .meaning = "may do everything, as root may"},
     &AccessTable::admin},
    {{.name = "act_for",
      .form = ValueForm::kFlag,
      .meaning = "a producer that may submit in the name of its end users"},
     &AccessTable::act_for},
};

constexpr ConfigKey<StoreConfig> kStoreKeys[] = {
    {{.name = "reserved_bytes",
      .form = ValueForm::kBytes,
      .most = kPiB,
      .zero = "no check",
      .meaning = "free disk below which submits are refused with `NO_SPACE`; completions still work"},
     &StoreConfig::reserved_bytes},
    {{.name = "checkpoint_interval",
      .form = ValueForm::kDuration,
      .least = 10,
      .most = 60 * kSecondMs,
      .meaning = "what a start after a crash has to replay at most"},
     &StoreConfig::checkpoint_interval_ms},
};

static_assert(static_cast<int>(BackendChoice::kUring) == 1 && static_cast<int>(BackendChoice::kEpoll) == 2);
static_assert(static_cast<int>(Fairness::kUser) == 1 && static_cast<int>(Fairness::kKey) == 2);

}  // namespace

std::span<const ConfigKey<DaemonConfig>> daemon_keys() { return kDaemonKeys; }
std::span<const ConfigKey<EngineConfig>> engine_keys() { return kEngineKeys; }
std::span<const ConfigKey<QueuesConfig>> queues_keys() { return kQueuesKeys; }
std::span<const ConfigKey<QueueSettings>> queue_keys() { return kQueueTableKeys; }
std::span<const ConfigKey<LimitsConfig>> limits_keys() { return kLimitsKeys; }
std::span<const ConfigKey<AccessTable>> access_keys() { return kAccessKeys; }
std::span<const ConfigKey<StoreConfig>> store_keys() { return kStoreKeys; }

}  // namespace pqd
