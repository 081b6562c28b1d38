// What the supervisor keeps of one client, and what outlives an engine: the lanes that the client writes, and
// what the engine has published for it.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>

#include "core/commit.h"
#include "core/job_event.h"
#include "core/state.h"

namespace pqd::sim {

// In the payload of each job of durability `memory`, so that it is known wherever it should not be.
inline constexpr std::string_view kMemoryPayload = "of memory only ";

struct UpRecord {
  uint64_t seq = 0;
  Bytes bytes;
};

struct UpLane {
  std::deque<UpRecord> records;  // not freed yet
  uint64_t tail = 0;             // number of the last one written
  uint64_t read = 0;             // of the last one that an engine took, whatever became of it
  uint64_t durable_told = 0;     // of the last one that the client was told of and that the journal must have
};

// As in shared memory: what the client may rely on.
struct LaneMarks {
  uint64_t written = 0, synced = 0, head = 0;
};

struct PublishedDelivery {
  bool notice = false;
  uint64_t number = 0;
  LeaseToken token;
  JobId id;
  uint16_t attempt = 0, max_attempts = 0;
  uint32_t subscription = 0;
  bool at_most_once = false;
  uint64_t batch = 0;
  std::string payload;
};

struct PublishedEvent {
  uint64_t request = 0;
  JobEvent event;
  bool end = false;  // of the watch; no event
};

struct SessionMemory {
  SessionNo number = 0;
  uint32_t uid = 0, tag = 0;
  std::vector<uint32_t> groups;
  ShortHash secret{};
  SessionNo claims = 0;  // the earlier session that it proves to be, 0 = none
  ShortHash claim_proof{};
  uint64_t deliveries_seen = 0;  // of the earlier one

  std::array<UpLane, kLanes> up;
  uint64_t receipts_read = 0;

  bool welcomed = false, resumed = false;
  std::array<LaneMarks, kLanes> marks{};
  std::deque<ReceiptEffect> receipts;  // published, not read
  uint64_t receipts_written = 0;
  std::deque<PublishedDelivery> deliveries;  // published, not read
  uint64_t deliveries_count = 0;
  std::deque<PublishedEvent> events;  // published, not read
  uint32_t engine_epoch = 0;          // of the engine that serves it

  bool gone = false;  // its client has hung up
};

// The supervisor: sessions by number, and which of them this supervisor gave out.
struct Supervisor {
  std::map<SessionNo, SessionMemory> sessions;
  SessionNo next_session = 1;
  SessionNo first_session = 1;
  uint64_t told_commit = 0;         // the latest of which somebody who watches was told a change
  std::set<JobId> memory_jobs_out;  // of durability `memory`, and somebody has been given them
};

}  // namespace pqd::sim
