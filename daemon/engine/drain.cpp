#include "daemon/engine/drain.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/submit_record.h"

namespace pqd {
namespace {

constexpr std::array<size_t, kLaneCount> kUrgentFirst{lane_index(Lane::kControl), lane_index(Lane::kCritical),
                                                      lane_index(Lane::kHigh), lane_index(Lane::kNormal),
                                                      lane_index(Lane::kLow)};

bool is_urgent(size_t lane) { return lane == lane_index(Lane::kCritical) || lane == lane_index(Lane::kHigh); }
bool comes_first(size_t lane) { return lane == kControlLane || is_urgent(lane); }

SubmitHead submit_head_of(ByteView record) {
  SubmitHead head;
  std::memcpy(&head, record.data(), std::min(record.size(), sizeof head));
  return head;
}

// Clients reckon by the system's clock, the broker by its own. What means no time, or is out of range, stays.
void start_by_broker(std::span<std::byte> record, int64_t skew_ms) {
  SubmitHead head = submit_head_of(record);
  const bool start = head.not_before_ms > 0 && head.not_before_ms <= limits::kUnixMsMax;
  if (head.head.kind != static_cast<uint8_t>(RecordKind::kSubmit) || record.size() < sizeof head || !start)
    return;
  head.not_before_ms = std::clamp<int64_t>(head.not_before_ms - skew_ms, 1, limits::kUnixMsMax);
  std::memcpy(record.data(), &head, sizeof head);
}

// Answered beside the broker, in no journal.
bool is_question(RecordKind kind) {
  return kind == RecordKind::kQuery || kind == RecordKind::kWatch || kind == RecordKind::kUnwatch;
}

}  // namespace

bool Drain::run(CommitBuilder& commit, int64_t skew_ns, const std::function<bool()>& enough) {
  skew_ms_ = skew_ns / kMillisecondNs;
  uint32_t taken_in_turn = 0;
  next_first_ = first_ + 1;
  bool left = true;
  urgent_ = false;
  while (left && taken_in_turn < kTurnRecords && !commit.full()) {
    left = false;
    bool others = false;
    for (const size_t lane : kUrgentFirst) {
      const uint32_t taken = take_lane(commit, lane);
      taken_in_turn += taken;
      left |= taken > 0;
      urgent_ |= taken > 0 && is_urgent(lane);
      others |= taken > 0 && urgent_ && !comes_first(lane);
      if (taken > 0 && !others) break;  // back to the most urgent lane, something may have come there
    }
    // What is urgent does not wait for more of the others, each of which gets its round all the same.
    if (others || (left && enough())) break;
  }
  note_positions();
  if (!ports_.all().empty()) first_ = next_first_ % ports_.all().size();
  return left;
}

uint32_t Drain::take_lane(CommitBuilder& commit, size_t lane) {
  uint32_t taken = 0;
  const auto& all = ports_.all();
  for (size_t i = 0; i < all.size(); ++i) {
    if (commit.full()) {
      // Whom this one has no room for is first in the next, however many there are.
      next_first_ = first_ + i;
      break;
    }
    SessionPort& port = *all[(first_ + i) % all.size()];
    if (port.lane(lane).refresh() && !port.held_back(lane)) taken += take_quantum(commit, port, lane);
  }
  return taken;
}

uint32_t Drain::take_quantum(CommitBuilder& commit, SessionPort& port, size_t lane) {
  uint32_t taken = 0;
  while (taken < kQuantum && !commit.full() && !port.held_back(lane)) {
    const uint32_t more = lane == kControlLane ? take_control(port) : take_submit(commit, port, lane);
    if (more == 0) break;
    taken += more;
  }
  if (taken > 0) advanced_.emplace_back(&port, lane);
  return taken;
}

std::optional<BlobRef> Drain::copy_record(CommitBuilder& commit, SessionPort& port, size_t lane) {
  RingReader& reader = port.lane(lane);
  const TakeResult wanted = reader.next({});
  if (wanted.outcome != Taken::kTargetTooSmall) return std::nullopt;
  BlobRef blob;
  const auto room = commit.add_room(wanted.bytes, blob);
  const TakeResult taken = reader.next(room);
  if (taken.outcome == Taken::kRecord && taken.bytes == wanted.bytes) {
    if (skew_ms_ != 0) start_by_broker(room, skew_ms_);
    return blob;
  }
  // Its size changed between two looks: somebody is playing with us.
  commit.drop_last(blob);
  port.faulty = true;
  return std::nullopt;
}

uint32_t Drain::take_submit(CommitBuilder& commit, SessionPort& port, size_t lane) {
  const auto record = copy_record(commit, port, lane);
  if (!record) return 0;
  const SubmitHead head = submit_head_of(commit.blob(*record));
  const auto wire_lane = static_cast<uint8_t>(lane);
  const uint64_t seq = port.lane(lane).position().sequence;
  if (port.decided_before(lane, seq)) {
    commit.drop_last(*record);
    return 1;
  }
  const bool batch = head.batch_count > 1 && head.batch_count <= limits::kBatchSubmitMax;
  if (head.head.kind != static_cast<uint8_t>(RecordKind::kSubmit) || (batch && head.batch_index != 0)) {
    broker_.refuse_record(port.number(), wire_lane, seq, Error::kInvalidRequest, head.head.kind);
    commit.drop_last(*record);
    return 1;
  }
  if (batch) return take_batch(commit, port, lane, *record);
  broker_.submit(port.number(), wire_lane, seq, *record);
  return 1;
}

// The client publishes an atomic submit at once, so that all of it is there with its first record.
uint32_t Drain::take_batch(CommitBuilder& commit, SessionPort& port, size_t lane, const BlobRef& first) {
  const uint32_t count = submit_head_of(commit.blob(first)).batch_count;
  batch_.assign(1, first);
  bool whole = true;
  while (whole && batch_.size() < count) {
    const auto next = copy_record(commit, port, lane);
    whole = next.has_value();
    if (!whole) break;
    batch_.push_back(*next);
    const SubmitHead head = submit_head_of(commit.blob(*next));
    whole = head.head.kind == static_cast<uint8_t>(RecordKind::kSubmit) && head.batch_count == count &&
            head.batch_index == batch_.size() - 1;
  }
  const auto taken = static_cast<uint32_t>(batch_.size());
  const uint64_t first_seq = port.lane(lane).position().sequence - taken + 1;
  if (whole) {
    broker_.submit_batch(port.number(), static_cast<uint8_t>(lane), first_seq, batch_);
    return taken;
  }
  for (uint32_t i = 0; i < taken; ++i) {
    broker_.refuse_record(port.number(), static_cast<uint8_t>(lane), first_seq + i, Error::kInvalidRequest,
                          static_cast<uint8_t>(RecordKind::kSubmit));
  }
  commit.drop_last(first);
  return taken;
}

uint32_t Drain::take_control(SessionPort& port) {
  RingReader& reader = port.lane(kControlLane);
  TakeResult taken = reader.next(scratch_);
  if (taken.outcome == Taken::kTargetTooSmall) {
    scratch_.resize(reader.max_record_bytes());
    taken = reader.next(scratch_);
  }
  if (taken.outcome != Taken::kRecord) return 0;
  // The size that was checked is the one that counts, whatever stands in the lane by now.
  if (taken.bytes > scratch_.size()) std::abort();
  if (port.decided_before(kControlLane, reader.position().sequence)) return 1;
  const ByteView record = ByteView(scratch_).first(taken.bytes);
  if (!is_question(static_cast<RecordKind>(record[offsetof(RecordHead, kind)])))
    broker_.control(port.number(), reader.position().sequence, record);
  else if (!port.leaving)
    port.questions().add(record);
  return 1;
}

void Drain::note_positions() {
  std::ranges::sort(advanced_);
  const auto repeated = std::ranges::unique(advanced_);
  advanced_.erase(repeated.begin(), repeated.end());
  for (const auto& [port, lane] : advanced_) {
    const RingPosition& at = port->lane(lane).position();
    broker_.lane_advanced(port->number(), static_cast<uint8_t>(lane), {at.sequence, at.cursor},
                          port->outbox().receipts_waiting() > 0);
  }
  advanced_.clear();
}

}  // namespace pqd
