#include "tests/golden/golden_life.h"

#include <array>

#include "core/queries.h"

namespace pqd::test {
namespace {

constexpr SessionNo kProducer = 1;
constexpr SessionNo kConsumer = 2;
constexpr uint32_t kTag = 100;

BrokerOptions options_of_the_life() {
  BrokerOptions options;
  options.defaults.max_active = 6;
  options.defaults.backoff_first_ms = 2'000;
  options.rate_limit = 600;
  QueueSettings small = options.defaults;
  small.max_depth = 2;
  small.max_active = 1;
  options.queues["small"] = small;
  QueueSettings fair = options.defaults;
  fair.fair = Fairness::kUser;
  options.queues["fair"] = fair;
  QueueSettings batches = options.defaults;
  batches.batch_size = 2;
  options.queues["batches"] = batches;
  return options;
}

}  // namespace

GoldenLife::GoldenLife() : broker_(state_, *this, options_of_the_life()) {}

std::optional<Commit> GoldenLife::next() {
  static constexpr std::array<Turn, 9> kTurns{&GoldenLife::open,
                                              &GoldenLife::submit_each_kind,
                                              &GoldenLife::settle_each_way,
                                              &GoldenLife::settle_each_way,
                                              &GoldenLife::command,
                                              &GoldenLife::submit_each_kind,
                                              &GoldenLife::settle_each_way,
                                              &GoldenLife::command,
                                              &GoldenLife::leave_work};
  if (turn_ == kTurns.size()) return std::nullopt;
  CommitBuilder builder(state_.blocks, last_number_ + 1, now_);
  builder_ = &builder;
  now_ += 3 * kSecondNs;
  broker_.begin_turn(now_, builder);
  (this->*kTurns[turn_++])();
  broker_.lane_advanced(kProducer, 1, {submits_, submits_ * 256}, false);
  broker_.lane_advanced(kConsumer, kControlLane, {controls_, controls_ * 64}, false);
  broker_.end_turn();
  note_endings();
  Commit commit = builder.close(last_hash_);
  builder_ = nullptr;
  last_number_ = commit.number;
  last_hash_ = commit.hash;
  return commit;
}

StorePicture GoldenLife::picture() const {
  StorePicture picture;
  picture.last_commit = last_number_;
  picture.last_hash = last_hash_;
  picture.tables = state_.tables;
  picture.live = live_rows_of(state_);
  picture.finished = finished_;
  picture.dead_letters = dead_letters_;
  state_.idempotency.for_each([&picture](const ShortHash& key, const IdempotencyKeys::Known& known) {
    if (!known.freed) picture.keys[key] = known.kept;
  });
  return picture;
}

std::optional<JobRow> GoldenLife::find_finished(const JobId& id) {
  const auto found = finished_.find(id);
  return found == finished_.end() ? std::nullopt : std::optional(decode_row(found->second).value());
}

void GoldenLife::open() {
  broker_.start_epoch(1);
  broker_.open_session({kProducer, 0, 11, kTag, {}});
  broker_.open_session({kConsumer, 0, 12, kTag + 1, {}});
  uint32_t number = 0;
  for (const char* queue : {"default", "small", "fair", "batches"}) {
    SubscribeView view;
    view.number = number++;
    view.credits = 2;
    view.queue = queue;
    broker_.control(kConsumer, ++controls_, write_subscribe(view));
  }
}

void GoldenLife::submit_each_kind() {
  submit({}, "fifo");
  SubmitView urgent;
  urgent.head.mode = static_cast<uint8_t>(Mode::kPriority);
  urgent.head.priority = 17;
  urgent.head.max_attempts = 1;
  urgent.head.delivery = static_cast<uint8_t>(Delivery::kAtMostOnce);
  urgent.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  urgent.metadata = "{\"a\":1}";
  submit(urgent, "urgent");
  SubmitView later;
  later.head.not_before_ms = now_ / kMillisecondNs + 86'400'000;
  later.head.durability = static_cast<uint8_t>(Durability::kOs);
  submit(later, "later");
  SubmitView once;
  once.idempotency_key = "the key";  // the second time it is a duplicate
  once.head.backoff_first_ms = 500;
  once.head.backoff_cap_ms = 9'000;
  submit(once, "once", kFlagBackoffJitter);
  SubmitView keyed;
  keyed.ordering_key = "one after the other";
  submit(keyed, "first of its key");
  submit(keyed, "second of its key");
  SubmitView batched;
  batched.queue = "batches";
  batched.head.mode = static_cast<uint8_t>(Mode::kBatch);
  for (int i = 0; i < 3; ++i) submit(batched, "one of a batch");
  SubmitView parked;
  parked.queue = "small";
  for (int i = 0; i < 4; ++i) submit(parked, "waits for room");
  SubmitView of_somebody;
  of_somebody.queue = "fair";
  of_somebody.subject = "somebody";
  submit(of_somebody, "in turns");
  SubmitView bad;
  bad.head.priority = 0;
  submit(bad, "refused");
}

// In turn: completed, failed, failed for good, extended and left in hand, given back, begun and left.
void GoldenLife::settle_each_way() {
  size_t way = 0;
  for (const Slot slot : in_hand(kConsumer)) {
    switch (way++ % 6) {
      case 0:
        settle(slot, RecordKind::kComplete, "the result");
        break;
      case 1:
        settle(slot, RecordKind::kFail, "the error");
        break;
      case 2:
        settle(slot, RecordKind::kFail, "the last error", kFlagDoNotRetry);
        break;
      case 3:
        settle(slot, RecordKind::kExtend, "half of it is done");
        break;
      case 4:
        settle(slot, RecordKind::kRelease, "");
        break;
      default:
        settle(slot, RecordKind::kStart, "");
        break;
    }
  }
}

void GoldenLife::command() {
  // The first dead letter goes, the next is looked into, the others live once more.
  size_t way = 0;
  for (const auto& [no, id] : std::map(dead_letters_)) {
    const Bytes record = way == 0   ? write_purge(id)
                         : way == 1 ? write_review(id, "looked into")
                                    : write_redrive(id);
    broker_.control(kProducer, ++controls_, record);
    ++way;
  }
  const auto held = in_hand(kConsumer);
  if (!held.empty()) {
    const JobId id = state_.jobs[held.front()].id;
    broker_.control(kProducer, ++controls_, write_cancel(id, false));  // refused
    broker_.control(kProducer, ++controls_, write_cancel(id, true));
  }
  QueueSettings settings;
  settings.max_active = 3;
  broker_.control(kProducer, ++controls_,
                  write_queue_configure("default", settings, queue_key_bit("max_active").value()));
  broker_.control(kProducer, ++controls_, write_queue_control(QueueAction::kPause, "fair"));
  SubmitView job;
  job.head.id = JobId::make(1, kTag, 1, 1);  // does not count
  job.queue = "default";
  job.type = "nightly";
  Bytes record(submit_record_bytes(job));
  write_submit_record(job, record);
  CronSetView cron{};
  cron.replace = true;
  cron.name = "nightly";
  cron.spec = "30 2 * * *";
  cron.zone = "UTC";
  cron.job = record;
  broker_.control(kProducer, ++controls_, write_cron_set(cron));
}

// The life ends with jobs in every place that a live job can have.
void GoldenLife::leave_work() {
  submit_each_kind();
  broker_.open_session({kConsumer + 1, 0, 13, kTag + 2, {}});
  broker_.close_session(kConsumer + 1);
}

JobId GoldenLife::submit(SubmitView view, std::string_view payload, uint8_t flags) {
  view.head.id = JobId::make(static_cast<uint64_t>(now_ / kMillisecondNs), kTag, 1, ++submits_);
  view.head.head.flags = flags;
  if (view.queue.empty()) view.queue = "default";
  view.type = submits_ % 2 == 0 ? "mail" : "resize";
  view.payload = as_bytes(payload);
  BlobRef blob;
  write_submit_record(view, builder_->add_room(submit_record_bytes(view), blob));
  broker_.submit(kProducer, 1, submits_, blob);
  return view.head.id;
}

void GoldenLife::settle(Slot slot, RecordKind kind, std::string_view body, uint16_t flags) {
  SettleHead head;
  head.token = state_.jobs.token(slot);
  head.id = state_.jobs[slot].id;
  head.head.kind = static_cast<uint8_t>(kind);
  head.head.flags = flags;
  if (kind == RecordKind::kExtend) head.progress = 50;
  broker_.control(kConsumer, ++controls_, write_settle(head, as_bytes(body)));
}

// By their numbers.
std::vector<Slot> GoldenLife::in_hand(SessionNo session) const {
  std::map<JobNo, Slot> slots;
  for (Slot at = state_.held(session).head; at != kNoSlot; at = state_.jobs[at].line_next)
    slots[state_.jobs[at].no] = at;
  std::vector<Slot> all;
  for (const auto& [no, slot] : slots) all.push_back(slot);
  return all;
}

void GoldenLife::note_endings() {
  std::erase_if(dead_letters_, [this](const auto& letter) {
    const Slot slot = state_.jobs.find(letter.second);
    const bool redriven = slot != kNoSlot && state_.jobs[slot].no != letter.first;
    if (redriven) finished_.erase(letter.second);
    return redriven;
  });
  state_.jobs.for_each([this](Slot slot) {
    const JobCore core = state_.jobs.core(slot);
    if (!is_finished(core.state)) return;
    JobRow row = row_of(state_, slot);
    if (is_dead_letter(core)) {
      dead_letters_[core.no] = core.id;
    } else {
      dead_letters_.erase(core.no);
      drop_payload(row);
    }
    finished_[core.id] = encode_row(row);
  });
}

}  // namespace pqd::test
