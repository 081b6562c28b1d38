// The records of a session's control lane: settlements, subscriptions, commands and queries. Part of the ABI.
// Like submits they are numbered by their place in the lane: a command is done when the lane's watermark
// passes it, unless a receipt says otherwise. A query is answered in the answers ring, and is asked again
// after a change of engine.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/queue_keys.h"
#include "core/submit_record.h"

namespace pqd {

// kStart, kComplete, kFail, kRelease, kExtend. `bytes` is the result (complete), the error text (fail), the
// note (extend).
struct SettleHead {
  RecordHead head;
  LeaseToken token;
  JobId id;
  uint32_t bytes = 0;
  uint8_t progress = 0;  // extend: 1..100; 0 = as it was
  uint8_t reserved[3] = {};
  uint32_t extend_ms = 0;  // extend: new lease length from now; 0 = the job's processing timeout
  uint32_t reserved2 = 0;
};
static_assert(sizeof(SettleHead) == 64);

struct SettleView {
  SettleHead head;
  ByteView body;
};

// kSubscribe: this session takes jobs of `types` (none = every type) of one queue. `credits` bounds how many
// jobs it holds unsettled under this subscription. The same number again changes credits. kUnsubscribe:
// number only.
struct SubscribeHead {
  RecordHead head;
  uint32_t number = 0;  // chosen by the client, below 65'536
  uint32_t credits = 1;
  uint16_t type_count = 0;
  uint8_t queue_bytes = 0;
  uint8_t reserved[5] = {};
  // then: queue, and for each type one length byte and its bytes
};
static_assert(sizeof(SubscribeHead) == 24);

struct SubscribeView {
  uint32_t number = 0;
  uint32_t credits = 1;
  std::string_view queue;
  std::vector<std::string_view> types;
};

struct CancelRecord {
  RecordHead head{sizeof(CancelRecord), static_cast<uint8_t>(RecordKind::kCancel), 1, 0};
  JobId id;
};
static_assert(sizeof(CancelRecord) == 24);

enum class QueueAction : uint8_t { kPause = 1, kResume = 2, kDrain = 3 };
struct QueueControlHead {
  RecordHead head{sizeof(QueueControlHead), static_cast<uint8_t>(RecordKind::kQueueControl), 1, 0};
  QueueAction action = QueueAction::kPause;
  uint8_t queue_bytes = 0;
  uint8_t reserved[6] = {};
  // then: queue
};
static_assert(sizeof(QueueControlHead) == 16);
struct QueueControlView {
  QueueAction action = QueueAction::kPause;
  std::string_view queue;
};

// Settings of a queue for as long as nobody says otherwise, over those of the configuration.
struct QueueConfigureHead {
  RecordHead head{sizeof(QueueConfigureHead), static_cast<uint8_t>(RecordKind::kQueueConfigure), 1, 0};
  QueueSettings settings;  // those in `keys` count
  QueueKeys keys = 0;      // 0 = the configuration's again, all of them
  uint8_t queue_bytes = 0;
  uint8_t reserved[3] = {};
  // then: queue
};
static_assert(sizeof(QueueConfigureHead) == 16 + sizeof(QueueSettings));
struct QueueConfigureView {
  QueueConfigureHead head;
  std::string_view queue;
};

// Back from the dead letter queue into a new life, one job by its id.
struct RedriveRecord {
  RecordHead head{sizeof(RedriveRecord), static_cast<uint8_t>(RecordKind::kRedrive), 1, 0};
  JobId id;
};
static_assert(sizeof(RedriveRecord) == 24);

// Out of the dead letter queue for good; what it was stays known.
struct PurgeRecord {
  RecordHead head{sizeof(PurgeRecord), static_cast<uint8_t>(RecordKind::kPurge), 1, 0};
  JobId id;
};
static_assert(sizeof(PurgeRecord) == 24);

// Somebody looked into a dead letter. Then: the resolution, 1 to kNoteBytesMax bytes up to the record's end.
struct ReviewHead {
  RecordHead head{sizeof(ReviewHead), static_cast<uint8_t>(RecordKind::kReview), 1, 0};
  JobId id;
};
static_assert(sizeof(ReviewHead) == 24);
struct ReviewView {
  ReviewHead head;
  std::string_view resolution;
};

enum class QueryKind : uint8_t {
  kJob = 1,       // by id -> one JobInfo
  kJobs = 2,      // filtered, newest first -> JobInfo...
  kQueues = 3,    // all, or one by name -> QueueInfo...
  kDlq = 4,       // filtered, newest or oldest first -> JobInfo with history...
  kDlqJob = 5,    // by id -> one JobInfo with history and payload
  kHealth = 6,    // -> HealthInfo
  kClients = 7,   // reserved for session listings
  kExplain = 8,   // by id -> one Explanation
  kCron = 9,      // schedules: all, or the one whose name stands in `queue` -> ScheduleInfo...
  kMetrics = 10,  // over a time, of one queue, one type or all -> MetricsInfo...
  kCopy = 11,     // admins: a copy of the store is made beside it -> its path
};

// The most that one answer lists.
constexpr uint32_t list_page_max(QueryKind kind) {
  return kind == QueryKind::kDlq ? limits::kDeadLetterPageMax : limits::kListPageMax;
}

struct QueryHead {
  RecordHead head{sizeof(QueryHead), static_cast<uint8_t>(RecordKind::kQuery), 1, 0};
  uint64_t request = 0;  // chosen by the client, returned with each part of the answer
  JobId id;              // kJob, kDlqJob; in lists: only jobs older than this one (paging), if not empty
  int64_t since_ms = 0;  // lists: ids made at or after; 0 = all. kMetrics: what happened since; 0 = all
  int64_t until_ms = 0;  // lists: ids made before; 0 = all. kMetrics: what happened before; 0 = up to now
  uint32_t limit = 50;   // lists: 1..list_page_max(kind). kMetrics: of queues and of types
  uint32_t owner_uid = 0xFFFFFFFF;  // lists: only this user's; all ones = everybody's
  uint8_t states = 0;               // lists: bit per JobState; 0 = all
  QueryKind kind = QueryKind::kJob;
  uint8_t queue_bytes = 0;
  uint8_t type_bytes = 0;
  uint8_t oldest_first = 0;  // kDlq: by the number of the life that failed, from `id.low` + 1 on, growing
  uint8_t metrics_by = 0;    // kMetrics: kMetricsBy... bits, see metrics_info.h
  uint8_t reserved[2] = {};
  // then: queue, type
};
static_assert(sizeof(QueryHead) == 64);
struct QueryView {
  QueryHead head;
  std::string_view queue;
  std::string_view type;
};

Bytes write_settle(SettleHead head, ByteView body);
Bytes write_subscribe(const SubscribeView& subscribe);
Bytes write_unsubscribe(uint32_t number);
Bytes write_cancel(const JobId& id, bool running);
Bytes write_queue_control(QueueAction action, std::string_view queue);
Bytes write_queue_configure(std::string_view queue, const QueueSettings& settings, QueueKeys keys);
Bytes write_redrive(const JobId& id);
Bytes write_purge(const JobId& id);
Bytes write_review(const JobId& id, std::string_view resolution);
Bytes write_query(QueryHead head, std::string_view queue, std::string_view type);

// What has to happen to the record before its sender may rely on its outcome: nothing for a query, a watch
// and the settlement of a job of durability `memory`, an fsync for everything else.
Durability durability_of_control(ByteView record);

// Each checks lengths and ranges; the views stay valid while `record` (private memory) does.
std::expected<SettleView, Error> read_settle(ByteView record);
std::expected<SubscribeView, Error> read_subscribe(ByteView record);
std::expected<uint32_t, Error> read_unsubscribe(ByteView record);
std::expected<CancelRecord, Error> read_cancel(ByteView record);
std::expected<QueueControlView, Error> read_queue_control(ByteView record);
std::expected<QueueConfigureView, Error> read_queue_configure(ByteView record);
std::expected<RedriveRecord, Error> read_redrive(ByteView record);
std::expected<PurgeRecord, Error> read_purge(ByteView record);
std::expected<ReviewView, Error> read_review(ByteView record);
std::expected<QueryView, Error> read_query(ByteView record);

}  // namespace pqd
