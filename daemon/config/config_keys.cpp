// Every setting there is. A new one is a member in config.h (or core/queue_settings.h), a line here and, as a
// test demands, a line in README.md.
#include "core/limits.h"
#include "daemon/config/config_key.h"

namespace pqd {
namespace {

using std::string_view;

constexpr uint64_t kMiB = 1ull << 20;
constexpr uint64_t kPiB = 1ull << 50;
constexpr uint64_t kSecondMs = 1'000;
// Durations are kept in 32 bits of milliseconds, whose largest value stands for "not said" in a submit.
constexpr uint64_t kDurationMsMax = 49 * 86'400 * kSecondMs;
static_assert(kDurationMsMax < UINT32_MAX);

constexpr uint64_t kStateDirBytesMax = 4'000;  // leaves room for the names in it
constexpr uint64_t kSocketBytesMax = 107;      // sockaddr_un, less the zero
constexpr uint64_t kSessionsMax = 100'000;
constexpr uint64_t kDepthMax = 100'000'000;
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
    {{.name = "session_memory_bytes",
      .form = ValueForm::kBytes,
      .least = kMiB,
      .most = kPiB,
      .meaning = "shared memory of all clients together; a client with default sizes takes 7 MiB"},
     &DaemonConfig::session_memory_bytes},
    {{.name = "max_payload_bytes",
      .form = ValueForm::kBytes,
      .least = 1,
      .most = limits::kPayloadBytesMax,
      .meaning = "the largest payload of a job"},
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

constexpr ConfigKey<QueuesConfig> kQueuesKeys[] = {
    {{.name = "strict",
      .form = ValueForm::kFlag,
      .meaning = "no queue but `default` and those with a table `[queue.NAME]`; else a submit creates it"},
     &QueuesConfig::strict},
};

constexpr ConfigKey<QueueSettings> kQueueKeys[] = {
    {{.name = "max_depth",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = kDepthMax,
      .meaning = "jobs pending, assigned or processing"},
     &QueueSettings::max_depth},
    {{.name = "max_bytes",
      .form = ValueForm::kBytes,
      .least = 1,
      .most = kPiB,
      .meaning = "bytes of their payloads"},
     &QueueSettings::max_bytes},
    {{.name = "admission_timeout",
      .form = ValueForm::kDuration,
      .most = kDurationMsMax,
      .zero = "refused at once",
      .meaning = "how long a submit waits for room before `QUEUE_FULL`"},
     &QueueSettings::admission_timeout_ms},
    {{.name = "queue_timeout",
      .form = ValueForm::kDuration,
      .most = kDurationMsMax,
      .zero = "for ever",
      .meaning = "how long a job waits once it is ready"},
     &QueueSettings::queue_timeout_ms},
    {{.name = "processing_timeout",
      .form = ValueForm::kDuration,
      .least = 1,
      .most = kDurationMsMax,
      .meaning = "a lease's length"},
     &QueueSettings::processing_timeout_ms},
    {{.name = "batch_size",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = limits::kBatchSizeMax,
      .meaning = "jobs of mode `batch` that are delivered together"},
     &QueueSettings::batch_size},
    {{.name = "batch_interval",
      .form = ValueForm::kDuration,
      .least = 1,
      .most = kDurationMsMax,
      .meaning = "how long a batch collects at most, from its first job"},
     &QueueSettings::batch_interval_ms},
    {{.name = "max_active",
      .form = ValueForm::kNumber,
      .most = kDepthMax,
      .zero = "no limit",
      .meaning = "jobs assigned or processing at once"},
     &QueueSettings::max_active},
    {{.name = "max_attempts",
      .form = ValueForm::kNumber,
      .least = 1,
      .most = UINT16_MAX,
      .meaning = "deliveries of a job before it is a dead letter"},
     &QueueSettings::max_attempts},
    {{.name = "backoff",
      .form = ValueForm::kDuration,
      .most = kDurationMsMax,
      .zero = "at once",
      .meaning = "the wait before the second attempt, doubled before each further one"},
     &QueueSettings::backoff_first_ms},
    {{.name = "backoff_cap",
      .form = ValueForm::kDuration,
      .most = kDurationMsMax,
      .zero = "at once",
      .meaning = "the longest such wait; not shorter than `backoff`"},
     &QueueSettings::backoff_cap_ms},
    {{.name = "starvation_guard",
      .form = ValueForm::kNumber,
      .most = 1'000'000,
      .zero = "strictly by rank",
      .meaning = "every n-th dispatch goes to the job that has waited longest"},
     &QueueSettings::starvation_guard},
    {{.name = "fair",
      .form = ValueForm::kWord,
      .words = kFairnesses,
      .meaning = "who takes turns within a rank: nobody (arrival order), users, or ordering keys"},
     &QueueSettings::fair},
};

constexpr ConfigKey<LimitsConfig> kLimitsKeys[] = {
    {{.name = "rate_limit",
      .form = ValueForm::kNumber,
      .most = kRateMax,
      .zero = "unlimited",
      .meaning =
          "submits per user and minute, as many at once; root and the daemon's own user are unlimited"},
     &LimitsConfig::rate_limit},
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
std::span<const ConfigKey<QueuesConfig>> queues_keys() { return kQueuesKeys; }
std::span<const ConfigKey<QueueSettings>> queue_keys() { return kQueueKeys; }
std::span<const ConfigKey<LimitsConfig>> limits_keys() { return kLimitsKeys; }
std::span<const ConfigKey<StoreConfig>> store_keys() { return kStoreKeys; }

}  // namespace pqd
