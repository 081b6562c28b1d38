#include "tests/daemon/store/workload.h"

#include "core/queries.h"

namespace pqd::test {
namespace {

BrokerOptions options_with_a_small_queue() {
  BrokerOptions options;
  options.defaults.max_active = 0;
  options.defaults.backoff_first_ms = 20;
  options.defaults.queue_timeout_ms = 400;
  options.defaults.processing_timeout_ms = 300;
  QueueSettings small = options.defaults;
  small.max_depth = 6;
  small.admission_timeout_ms = 30;
  options.queues["small"] = small;
  return options;
}

Bytes random_bytes(std::mt19937_64& random, size_t size) {
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace

Picture picture_of(const State& state) {
  Picture picture;
  state.jobs.for_each([&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (!is_finished(core.state)) picture.live[core.no] = encode_row(row_of(state, slot));
  });
  picture.tables = state.tables.encode();
  return picture;
}

std::string describe(ByteView bytes) {
  const JobRow row = decode_row(bytes).value();
  const JobCore& c = row.core;
  std::string text;
  const auto put = [&text](std::string_view name, auto value) {
    text += " " + std::string(name) + "=" + std::to_string(value);
  };
  text = c.id.to_string() + " " + std::string(state_name(c.state));
  put("no", c.no), put("pending", static_cast<int>(c.pending)), put("ready_seq", c.ready_seq);
  put("holder", c.holder), put("lease", c.lease), put("delivery", c.delivery_no);
  put("created", c.created_ns), put("start_after", c.start_after_ns), put("ready", c.ready_ns);
  put("assigned", c.assigned_ns), put("until", c.lease_until_ns), put("finished", c.finished_ns);
  put("epoch", c.lease_epoch), put("subscription", c.subscription), put("attempts", c.attempts);
  put("failures", c.failures), put("deaths", c.deaths), put("reason", static_cast<int>(c.reason));
  put("progress", c.progress), put("cancel", c.cancel_requested), put("redriven", c.redriven);
  put("record", row.record.size()), put("dropped", row.payload_dropped), put("result", row.result.size());
  put("note", row.note.size()), put("history", row.history.size());
  put("reviews", row.reviews.size()), put("purged", c.purged);
  return text;
}

Workload::Workload(const Store& store, uint64_t seed)
    : store_(store), broker_(state_, *this, options_with_a_small_queue()), random_(seed) {}

std::optional<JobRow> Workload::find_finished(const JobId& id) {
  const auto row = store_.find_done(id);
  if (!row || !*row) return std::nullopt;
  return decode_row(**row).value();
}

std::map<ShortHash, std::optional<KeptKey>> Workload::keys() const {
  std::map<ShortHash, std::optional<KeptKey>> keys;
  state_.idempotency.for_each([&keys](const ShortHash& key, const IdempotencyKeys::Known& known) {
    keys[key] = known.freed ? std::nullopt : std::optional(known.kept);
  });
  return keys;
}

Commit Workload::commit() {
  CommitBuilder builder(state_.blocks, last_number_ + 1, now_);
  for (uint64_t turns = 1 + below(4); turns > 0; --turns) turn(builder);
  Commit commit = builder.close(last_hash_);
  last_number_ = commit.number;
  last_hash_ = commit.hash;
  return commit;
}

void Workload::turn(CommitBuilder& builder) {
  now_ += static_cast<TimeNs>(below(15)) * kMillisecondNs;
  broker_.begin_turn(now_, builder);
  if (last_number_ == 0 && state_.tables.epoch == 0) {
    broker_.start_epoch(1);
    open_sessions();
  }
  // Now and then so many that the block of their commit has pieces.
  const uint64_t submits = last_number_ > 8 && below(12) == 0 ? 20 + below(80) : below(6);
  for (uint64_t i = 0; i < submits; ++i) submit(builder);
  settle_some();
  if (below(5) == 0) command();
  if (below(60) == 0) replace_consumer();
  broker_.lane_advanced(producer_.session, 1, {producer_.seq, producer_.seq * 64}, false);
  broker_.end_turn();
  note_endings();
}

void Workload::open_sessions() {
  producer_.session = next_session_++;
  producer_.tag = next_tag_++;
  broker_.open_session({producer_.session, 0, 1, producer_.tag, {}});
  for (int i = 0; i < 2; ++i) replace_consumer();
}

// A consumer dies, or goes and comes back under another session; another takes the place.
void Workload::replace_consumer() {
  const SessionNo session = next_session_++;
  broker_.open_session({session, 0, 2, next_tag_++, {}});
  if (consumers_.size() < 2) {
    consumers_.push_back(session);
  } else {
    SessionNo& earlier = consumers_[below(2)];
    if (below(2) == 0) {
      broker_.close_session(earlier);
    } else {
      broker_.resume_session(earlier, session, {}, below(2) * 1'000'000);
    }
    earlier = session;
  }
  subscribe(session);
}

void Workload::subscribe(SessionNo session) {
  for (uint32_t number = 0; number < 2; ++number) {
    SubscribeView view;
    view.number = number;
    view.credits = 4;
    view.queue = number == 0 ? "default" : "small";
    broker_.control(session, ++control_seq_, write_subscribe(view));
  }
}

void Workload::submit(CommitBuilder& builder) {
  SubmitView view;
  view.head.id =
      JobId::make(static_cast<uint64_t>(now_ / kMillisecondNs), producer_.tag, 1, ++producer_.counter);
  view.head.mode = static_cast<uint8_t>(below(2) == 0 ? Mode::kFifo : Mode::kPriority);
  view.head.priority = static_cast<uint8_t>(1 + below(20));
  view.head.max_attempts = static_cast<uint16_t>(1 + below(3));
  if (below(8) == 0) view.head.not_before_ms = now_ / kMillisecondNs + static_cast<int64_t>(below(100));
  if (below(50) == 0) view.head.priority = 0;  // refused
  view.queue = below(3) == 0 ? "small" : "default";
  view.type = below(2) == 0 ? "resize" : "mail";
  view.metadata = "{\"a\":1}";
  const std::string key = "key " + std::to_string(below(400));
  if (below(8) == 0) view.idempotency_key = key;
  const Bytes payload = random_bytes(random_, below(400));
  view.payload = payload;
  BlobRef blob;
  write_submit_record(view, builder.add_room(submit_record_bytes(view), blob));
  broker_.submit(producer_.session, 1, ++producer_.seq, blob);
}

void Workload::settle_some() {
  for (const SessionNo session : consumers_) {
    std::vector<Slot> slots;
    for (Slot at = state_.held(session).head; at != kNoSlot; at = state_.jobs[at].line_next)
      slots.push_back(at);
    for (const Slot slot : slots) {
      if (below(3) != 0) settle(session, slot);
    }
  }
}

void Workload::settle(SessionNo session, Slot slot) {
  SettleHead head;
  head.token = state_.jobs.token(slot);
  head.id = state_.jobs[slot].id;
  Bytes body = random_bytes(random_, below(100));
  RecordKind kind = RecordKind::kComplete;
  switch (below(10)) {
    case 0:
    case 1:
      kind = RecordKind::kFail;
      body = Bytes(12, std::byte{'e'});
      if (below(4) == 0) head.head.flags = kFlagDoNotRetry;
      break;
    case 2:
      kind = RecordKind::kRelease;
      body.clear();
      break;
    case 3:
      kind = RecordKind::kExtend;
      head.progress = static_cast<uint8_t>(below(101));
      body = Bytes(9, std::byte{'n'});
      break;
    case 4:
      kind = RecordKind::kStart;
      body.clear();
      break;
    default:
      break;
  }
  head.head.kind = static_cast<uint8_t>(kind);
  broker_.control(session, ++control_seq_, write_settle(head, body));
}

void Workload::command() {
  const SessionNo by = producer_.session;
  const auto any_id = [this](const auto& map, auto id_of) {
    auto at = map.begin();
    std::advance(at, static_cast<ptrdiff_t>(below(map.size())));
    return id_of(*at);
  };
  switch (below(4)) {
    case 0:
    case 1: {
      if (dead_letters_.empty()) return;
      const JobId id = any_id(dead_letters_, [](const auto& e) { return e.second; });
      switch (below(4)) {
        case 0:
        case 1:
          broker_.control(by, ++control_seq_, write_redrive(id));
          return;
        case 2:
          broker_.control(by, ++control_seq_, write_review(id, "looked into"));
          return;
        default:
          broker_.control(by, ++control_seq_, write_purge(id));
          return;
      }
    }
    case 2: {
      const auto live = picture_of(state_).live;
      if (live.empty()) return;
      const Slot slot = state_.jobs.find(any_id(live, [](const auto& e) { return e.first; }));
      broker_.control(by, ++control_seq_, write_cancel(state_.jobs[slot].id, below(2) == 0));
      return;
    }
    default: {
      const auto action = static_cast<QueueAction>(1 + below(3));
      broker_.control(by, ++control_seq_, write_queue_control(action, below(2) == 0 ? "small" : "default"));
      broker_.control(by, ++control_seq_, write_queue_control(QueueAction::kResume, "default"));
      return;
    }
  }
}

void Workload::note_endings() {
  std::erase_if(dead_letters_, [this](const auto& letter) {
    const Slot slot = state_.jobs.find(letter.second);
    const bool redriven = slot != kNoSlot && state_.jobs[slot].no != letter.first;
    if (redriven) done_.erase(letter.second);
    return redriven;
  });
  state_.jobs.for_each([this](Slot slot) {
    const JobCore core = state_.jobs.core(slot);
    if (!is_finished(core.state)) return;
    if (!done_.contains(core.id)) ++endings_[core.state];
    JobRow row = row_of(state_, slot);
    if (is_dead_letter(core)) {
      dead_letters_[core.no] = core.id;
    } else {
      dead_letters_.erase(core.no);
      drop_payload(row);
    }
    done_[core.id] = encode_row(row);
  });
}

}  // namespace pqd::test
