#include "daemon/engine/session_outbox.h"

#include <algorithm>

#include "core/canary.h"
#include "daemon/engine/answer_writer.h"
#include "daemon/engine/delivery_writer.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Whoever it is for has the job in hand under this token.
bool lease_holds(const State& state, const DeliveryEffect& delivery) {
  const Slot slot = state.jobs.find(delivery.token.job);
  if (slot == kNoSlot) return false;
  const JobState now = state.jobs[slot].state;
  return (now == JobState::kAssigned || now == JobState::kProcessing) &&
         state.jobs.token(slot) == delivery.token && state.jobs.course(slot).holder == delivery.session;
}

}  // namespace

SessionOutbox::SessionOutbox(DownSegment& down, const UpHeader& up, int engine_doorbell)
    : down_(&down),
      receipt_ring_(down.receipts(), down.sizes().receipt_slots, down.header().receipts_written,
                    up.receipts_read),
      delivery_ring_(down.deliveries_data(), down.sizes().deliveries_bytes, down.header().deliveries_tail,
                     up.deliveries_read),
      answer_ring_(down.answers_data(), down.sizes().answers_bytes, down.header().answers_tail,
                   up.answers_read),
      bell_(down.header(), up, engine_doorbell) {}

void SessionOutbox::begin_at(const SessionEntry& entry) {
  for (size_t i = 0; i < kLaneCount; ++i) {
    const Watermarks told = load_watermarks(down().lanes[i]);
    const LanePosition at = read_to(entry, i);
    told_[i] = {at.bytes, std::max(at.seq, told.applied), std::max(at.seq, told.written),
                std::max(at.seq, told.synced), at.seq};
  }
  uint64_t number = entry.receipts - entry.kept_receipts.size();
  for (const ReceiptIssued& receipt : entry.kept_receipts) {
    if (++number > receipts_published()) receipts_.push_back({0, {number, receipt}});
  }
  // Watermarks may pass receipts of this commit only: flush() tells those of told_ once these are out.
  marks_.push_back({0, {}});
}

LanePosition SessionOutbox::read_to(const SessionEntry& entry, size_t lane) const {
  const LaneDown& down = down_->header().lanes[lane];
  const uint64_t freed = load_watermarks(down).head;
  return freed > entry.lanes[lane].bytes ? LanePosition{load_head_seq(down), freed} : entry.lanes[lane];
}

uint64_t SessionOutbox::applied(size_t lane) const { return told_[lane].applied; }

void SessionOutbox::add(uint64_t commit, const CancelNotice& notice) {
  WaitingDelivery waiting{commit, {}, DownKind::kCancelNotice};
  waiting.effect.session = notice.session;
  waiting.effect.token = notice.token;
  waiting.effect.id = notice.id;
  waiting.effect.number = notice.number;
  deliveries_.push_back(waiting);
}

void SessionOutbox::add_answer(Bytes record) {
  answer_bytes_ += record.size();
  answers_.push_back(std::move(record));
}

void SessionOutbox::tell(const Progress& progress) {
  told_news_ |= flush_receipts(progress);
  told_news_ |= flush_marks(progress);
}

bool SessionOutbox::flush(const Progress& progress, State& state, int64_t skew_ns) {
  found_no_room_ = false;
  tell(progress);
  bool news = std::exchange(told_news_, false);
  news |= flush_deliveries(progress, state, skew_ns);
  news |= flush_answers();
  news |= flush_events(progress, state);
  set_blocked(found_no_room_);
  return news;
}

bool SessionOutbox::flush_receipts(const Progress& progress) {
  while (!receipts_.empty() && receipts_.front().commit <= progress.done) {
    const auto& [number, issued] = receipts_.front().effect;
    Receipt receipt;
    receipt.number = number;
    receipt.sequence = issued.seq;
    receipt.job_high = issued.id.high;
    receipt.job_low = issued.id.low;
    receipt.retry_after_ms = issued.retry_after_ms;
    receipt.lane = issued.lane;
    receipt.code = issued.code;
    receipt.flags = issued.flags;
    if (!receipt_ring_.append(receipt)) {
      found_no_room_ = true;
      break;
    }
    receipts_.pop_front();
  }
  PQD_CRASH_POINT("receipts-written");
  const bool any = receipt_ring_.publish();
  if (any) PQD_CRASH_POINT("receipts-published");
  return any;
}

bool SessionOutbox::flush_marks(const Progress& progress) {
  const uint64_t limit = receipts_.empty() ? UINT64_MAX : receipts_.front().commit;
  const auto free_to = [limit](uint64_t commit, uint64_t reached) {
    return commit <= reached && commit < limit;
  };
  std::array<bool, kLaneCount> moved{};
  for (const auto& [commit, effect] : marks_) {
    if (commit == 0 || !PQD_CANARY("cursor-before-commit")) break;
    told_[effect.lane].head = effect.position.bytes;
    told_[effect.lane].head_seq = effect.position.seq;
    moved[effect.lane] = true;
  }
  for (; marks_written_ < marks_.size(); ++marks_written_) {
    const auto& [commit, effect] = marks_[marks_written_];
    if (!free_to(commit, progress.written)) break;
    if (commit == 0) {
      moved.fill(true);
      continue;
    }
    told_[effect.lane].applied = told_[effect.lane].written = effect.position.seq;
    moved[effect.lane] = true;
  }
  while (!marks_.empty() && marks_written_ > 0 && free_to(marks_.front().commit, progress.done)) {
    const auto& [commit, effect] = marks_.front();
    if (commit != 0) {
      if (commit <= progress.synced) told_[effect.lane].synced = effect.position.seq;
      told_[effect.lane].head = effect.position.bytes;
      told_[effect.lane].head_seq = effect.position.seq;
      moved[effect.lane] = true;
    }
    marks_.pop_front();
    --marks_written_;
  }
  bool any = false;
  for (size_t i = 0; i < kLaneCount; ++i) {
    if (moved[i]) PQD_CRASH_POINT("watermark-due");
    if (moved[i]) publish_watermarks(down().lanes[i], told_[i]);
    if (moved[i]) PQD_CRASH_POINT("watermark-published");
    any |= moved[i];
  }
  return any;
}

bool SessionOutbox::flush_deliveries(const Progress& progress, State& state, int64_t skew_ns) {
  uint64_t number = deliveries_published();
  if (deliveries_stuck_) withdraw_all_over(state);
  while (!deliveries_.empty()) {
    WaitingDelivery& waiting = deliveries_.front();
    if (deliveries_stuck_ && withdraw_if_over(waiting, state)) {
      deliveries_.pop_front();
      continue;
    }
    const uint64_t reached = waiting.effect.after_sync ? progress.synced : progress.written;
    if (waiting.commit > reached) break;
    const bool delivery = waiting.kind == DownKind::kDelivery;
    const bool written = delivery ? write_delivery(delivery_ring_, waiting.effect, state, skew_ns)
                                  : write_notice(delivery_ring_, waiting.kind, waiting.effect);
    if (!written) {
      found_no_room_ = deliveries_stuck_ = true;
      break;
    }
    if (delivery) number = waiting.effect.number;
    give_back(waiting, state);
    deliveries_.pop_front();
  }
  deliveries_stuck_ &= !deliveries_.empty();
  PQD_CRASH_POINT("deliveries-written");
  if (!delivery_ring_.publish()) return false;
  PQD_CRASH_POINT("deliveries-published");
  // release: pairs with the next engine, which goes on behind it; after the tail, see shm/README.md.
  down().deliveries_count.store(number, std::memory_order_release);
  PQD_CRASH_POINT("deliveries-counted");
  return true;
}

// A consumer that does not read has leases end, and is given others: what is left of the earlier ones here is
// of no use to it, and their records would stay in memory for nothing.
bool SessionOutbox::withdraw_if_over(WaitingDelivery& waiting, State& state) {
  if (waiting.kind == DownKind::kBatchEnd || lease_holds(state, waiting.effect)) return false;
  // Of what it was given it is told all the same: it may be at work on it.
  const bool given = waiting.effect.number <= deliveries_published();
  if (waiting.kind == DownKind::kCancelNotice && given) return false;
  const bool last = waiting.effect.batch_last;
  give_back(waiting, state);
  if (last) waiting = {waiting.commit, {}, DownKind::kBatchEnd};
  return !last;
}

// Only when there is twice as much as was left the last time, so that it costs little for each.
void SessionOutbox::withdraw_all_over(State& state) {
  look_at_bytes_ = std::max<size_t>(look_at_bytes_, down_->sizes().deliveries_bytes);
  if (deliveries_.size() < look_at_count_ && record_bytes_ < look_at_bytes_) return;
  std::deque<WaitingDelivery> left;
  for (WaitingDelivery& waiting : deliveries_) {
    if (withdraw_if_over(waiting, state)) continue;
    const bool end = waiting.kind == DownKind::kBatchEnd;
    if (end && !left.empty() && left.back().kind == DownKind::kBatchEnd) continue;
    left.push_back(waiting);
  }
  deliveries_ = std::move(left);
  look_at_count_ = 2 * deliveries_.size() + kLookAtCount;
  look_at_bytes_ = 2 * record_bytes_ + down_->sizes().deliveries_bytes;
}

void SessionOutbox::give_back(const WaitingDelivery& waiting, State& state) {
  if (waiting.kind != DownKind::kDelivery) return;
  record_bytes_ -= waiting.effect.record.blob.bytes;
  state.blocks.drop_user(waiting.effect.record.block);
}

bool SessionOutbox::write_answer(ByteView record) {
  const auto room = answer_ring_.reserve(static_cast<uint32_t>(record.size()));
  if (room.empty()) {
    found_no_room_ = true;
    return false;
  }
  std::ranges::copy(record, room.begin());
  answer_ring_.commit(static_cast<uint32_t>(record.size()));
  return true;
}

bool SessionOutbox::flush_answers() {
  while (!answers_.empty() && write_answer(answers_.front())) {
    answer_bytes_ -= answers_.front().size();
    answers_.pop_front();
    PQD_CRASH_POINT("answer-written");
  }
  const bool any = answer_ring_.publish();
  if (any) PQD_CRASH_POINT("answers-published");
  return any;
}

// Answers first: who asks waits for them.
bool SessionOutbox::flush_events(const Progress& progress, const State& state) {
  if (watches_.empty() || !answers_.empty()) return false;
  watches_.tell(
      progress.done, state.tables,
      [this](uint64_t request, const JobEvent& event) {
        return write_answer(answer_part(request, AnswerKind::kEvent, encode(event)));
      },
      [this](uint64_t request) { return write_answer(answer_end(request, Error::kOk)); });
  return answer_ring_.publish();
}

void SessionOutbox::set_blocked(bool blocked) {
  if (blocked == blocked_) return;
  blocked_ = blocked;
  set_outbox_blocked(down(), blocked);
}

void SessionOutbox::drop(State& state) {
  for (const WaitingDelivery& waiting : deliveries_) give_back(waiting, state);
  deliveries_.clear();
}

bool SessionOutbox::peer_broken() const {
  return receipt_ring_.peer_broken() || delivery_ring_.peer_broken() || answer_ring_.peer_broken();
}

uint64_t SessionOutbox::deliveries_published() const {
  // relaxed: our own word; a predecessor's stores came to us through its death.
  return down_->header().deliveries_count.load(std::memory_order_relaxed);
}

}  // namespace pqd
