#include "tests/sim/outbox.h"

#include "core/control_record.h"
#include "tests/sim/canary.h"
#include "tests/sim/fault.h"

namespace pqd::sim {

void Outbox::begin_at(const SessionEntry& entry) {
  uint64_t number = entry.receipts - entry.kept_receipts.size();
  for (const ReceiptIssued& receipt : entry.kept_receipts)
    if (++number > down_->receipts_written) receipts_.push_back({0, {number, receipt}});
  for (uint8_t lane = 0; lane < kLanes; ++lane)
    marks_.push_back({0, {entry.number, lane, entry.lanes[lane]}});
}

void Outbox::add(uint64_t commit, const CancelNotice& notice) {
  Waiting waiting{commit, {}, true};
  waiting.effect.token = notice.token;
  waiting.effect.id = notice.id;
  deliveries_.push_back(waiting);
}

void Outbox::tell(const Progress& progress, size_t receipt_slots) {
  flush_receipts(progress, receipt_slots);
  flush_marks(progress);
}

// Jobs of durability `memory`, and settlements of them, the journal need not have.
void Outbox::told(uint8_t lane, uint64_t seq) {
  UpLane& up = down_->up[lane];
  uint64_t& written = down_->marks[lane].written;
  for (const UpRecord& record : up.records) {
    if (record.seq <= written || record.seq > seq) continue;
    SubmitHead head;
    if (lane != kControlLane) std::memcpy(&head, record.bytes.data(), sizeof head);
    const auto durability =
        lane == kControlLane ? durability_of_control(record.bytes) : static_cast<Durability>(head.durability);
    if (durability != Durability::kMemory) up.durable_told = record.seq;
  }
  written = std::max(written, seq);
}

void Outbox::flush_receipts(const Progress& progress, size_t receipt_slots) {
  const uint64_t done = planted("acknowledged-before-commit") ? progress.handed : progress.done;
  while (!receipts_.empty() && receipts_.front().first <= done && down_->receipts.size() < receipt_slots) {
    const ReceiptEffect& effect = receipts_.front().second;
    require(effect.number == down_->receipts_written + 1, "receipt ", effect.number, " of session ",
            down_->number, " follows receipt ", down_->receipts_written);
    down_->receipts.push_back(effect);
    down_->receipts_written = effect.number;
    receipts_.pop_front();
  }
}

void Outbox::flush_marks(const Progress& progress) {
  const uint64_t limit =
      receipts_.empty() || planted("watermark-before-receipt") ? UINT64_MAX : receipts_.front().first;
  const bool early = planted("acknowledged-before-commit");
  const uint64_t written = early ? progress.handed : progress.written;
  const uint64_t done = early ? progress.handed : progress.done;
  const uint64_t synced = early ? progress.handed : progress.synced;
  const auto raise = [](uint64_t& mark, uint64_t to) { mark = std::max(mark, to); };
  for (; marks_written_ < marks_.size(); ++marks_written_) {
    const auto& [commit, effect] = marks_[marks_written_];
    if (commit > written || commit >= limit) break;
    told(effect.lane, effect.position.seq);
  }
  while (!marks_.empty() && marks_written_ > 0 && marks_.front().first <= done &&
         marks_.front().first < limit) {
    const auto& [commit, effect] = marks_.front();
    LaneMarks& told = down_->marks[effect.lane];
    if (commit <= synced) raise(told.synced, effect.position.seq);
    raise(told.head, effect.position.seq);
    auto& records = down_->up[effect.lane].records;
    while (!records.empty() && records.front().seq <= told.head) records.pop_front();
    marks_.pop_front();
    --marks_written_;
  }
}

void Outbox::deliver(const Progress& progress, State& state, std::set<JobId>& of_memory) {
  while (!deliveries_.empty()) {
    const Waiting& waiting = deliveries_.front();
    const DeliveryEffect& effect = waiting.effect;
    uint64_t reached = effect.after_sync ? progress.synced : progress.written;
    if (planted("delivered-before-commit")) reached = progress.handed;
    if (planted("at-most-once-before-sync") && effect.after_sync) reached = progress.written;
    if (waiting.commit > reached) break;
    PublishedDelivery out{
        waiting.notice,      effect.number,       effect.token,      effect.id,    effect.attempt,
        effect.max_attempts, effect.subscription, effect.after_sync, effect.batch, {}};
    if (!waiting.notice) {
      const auto submit = read_submit_record(state.blocks.view(effect.record));
      require(submit.has_value(), "the record of job ", effect.id, " cannot be read at its delivery");
      out.payload = as_text(submit->payload);
      if (static_cast<Durability>(submit->head.durability) == Durability::kMemory)
        of_memory.insert(effect.id);
      // Leases that ended before anybody published them leave a gap.
      require(effect.number > down_->deliveries_count, "delivery ", effect.number, " of session ",
              down_->number, " follows delivery ", down_->deliveries_count);
      down_->deliveries_count = effect.number;
      state.blocks.drop_user(effect.record.block);
    }
    down_->deliveries.push_back(std::move(out));
    deliveries_.pop_front();
  }
}

void Outbox::drop(State& state) {
  for (const Waiting& waiting : deliveries_)
    if (!waiting.notice) state.blocks.drop_user(waiting.effect.record.block);
  deliveries_.clear();
}

}  // namespace pqd::sim
