#include "tests/core/driver.h"

#include <algorithm>

namespace pqd::test {
namespace {

// An administrator, and unless the test says who may do what, everybody may submit and consume everything.
BrokerOptions with_admin(BrokerOptions options) {
  options.access.daemon_uid = kAdminUid;
  if (options.access.lets_others_in()) return options;
  AccessRule everyone;
  everyone.produces.push_back(NamePattern::everything());
  everyone.consumes.push_back({NamePattern::everything(), NamePattern::everything()});
  options.access.everyone = everyone;
  return options;
}

}  // namespace

Driver::Driver(BrokerOptions options) : broker(state, store, with_admin(std::move(options))) {
  state.timers.start(now_ns);
  turn([this](CommitBuilder&) { broker.start_epoch(1); });
}

Driver::~Driver() { demand_replay_agrees(); }

CommitBuilder& Driver::begin() {
  builder_.emplace(state.blocks, commits.size() + 1, now_ns);
  broker.begin_turn(now_ns, *builder_);
  return *builder_;
}

void Driver::end() {
  broker.end_turn();
  state.check_invariants();
  demand_no_idle_consumer();
  const bool empty = builder_->empty();
  could_wait = builder_->can_wait();
  Commit commit = builder_->close(commits.empty() ? ChainHash{} : commits.back().hash);
  builder_.reset();
  for (const DeliveryEffect& d : commit.effects.deliveries) {
    const auto submit = read_submit_record(state.blocks.view(d.record));
    inboxes_[d.session].push_back({d.number, d.token, d.id, d.lease_until_ns, d.subscription, d.attempt,
                                   d.after_sync, std::string(as_text(submit->payload)), d.batch,
                                   d.batch_last});
    state.blocks.drop_user(d.record.block);
  }
  receipts.insert(receipts.end(), commit.effects.receipts.begin(), commit.effects.receipts.end());
  batch_ends.insert(batch_ends.end(), commit.effects.batch_ends.begin(), commit.effects.batch_ends.end());
  notices.insert(notices.end(), commit.effects.notices.begin(), commit.effects.notices.end());
  if (!empty) commits.push_back(std::move(commit));
}

// After a turn no ready job may stand beside a consumer that could have it.
void Driver::demand_no_idle_consumer() {
  state.jobs.for_each([this](Slot slot) {
    const JobCore job = state.jobs.core(slot);
    if (job.state != JobState::kPending || job.pending != Pending::kReady) return;
    const QueueEntry& entry = state.tables.queue(job.queue);
    const QueueRuntime& queue = state.queue(job.queue);
    const bool room = entry.settings.max_active == 0 || queue.turns_out < entry.settings.max_active;
    EXPECT_FALSE(!entry.paused && room && queue.consumers.wants(job.type)) << "a ready job was passed over";
  });
}

SessionNo Driver::open(uint32_t uid, const std::vector<uint32_t>& groups) {
  const SessionNo session = ++last_session_;
  turn([&](CommitBuilder&) {
    broker.open_session({session, uid, 4242, tag_of(session), secret_of(session)}, groups);
  });
  return session;
}

void Driver::close(SessionNo session) {
  turn([&](CommitBuilder&) { broker.close_session(session); });
}

ShortHash Driver::secret_of(SessionNo session) {
  ShortHash hash{};
  hash[0] = static_cast<uint8_t>(session);
  hash[15] = 0x5A;
  return hash;
}

uint8_t Driver::lane_of(uint8_t priority) {
  if (priority < 5) return 0;
  if (priority < 10) return 1;
  return priority < 20 ? 2 : 3;
}

JobId Driver::next_id(SessionNo session, uint8_t priority) {
  const uint8_t lane = lane_of(priority);
  return JobId::make(static_cast<uint64_t>(now_ns / kMillisecondNs), tag_of(session), lane,
                     ++counters_[{session, lane}]);
}

BlobRef Driver::add_record(CommitBuilder& commit, SessionNo session, const JobId& id, const JobSpec& spec,
                           uint32_t batch_count, uint32_t batch_index) {
  SubmitView view;
  view.head.head.flags = spec.flags;
  view.head.id = id;
  view.head.not_before_ms = spec.delay_ms == 0 ? 0 : now_ns / kMillisecondNs + spec.delay_ms;
  view.head.queue_timeout_ms = spec.queue_timeout_ms;
  view.head.processing_timeout_ms = spec.processing_timeout_ms;
  view.head.backoff_first_ms = spec.backoff_first_ms;
  view.head.backoff_cap_ms = spec.backoff_cap_ms;
  view.head.batch_count = batch_count;
  view.head.batch_index = batch_index;
  view.head.max_attempts = spec.max_attempts;
  view.head.mode = static_cast<uint8_t>(spec.mode);
  view.head.priority = spec.priority;
  view.head.delivery = static_cast<uint8_t>(spec.delivery);
  view.head.durability = static_cast<uint8_t>(spec.durability);
  view.queue = spec.queue;
  view.type = spec.type;
  view.idempotency_key = spec.idempotency_key;
  view.ordering_key = spec.ordering_key;
  view.subject = spec.subject;
  view.metadata = spec.metadata;
  view.payload = as_bytes(spec.payload);
  BlobRef blob;
  write_submit_record(view, commit.add_room(submit_record_bytes(view), blob));
  ++seqs_[{session, id.lane()}];
  return blob;
}

void Driver::put(CommitBuilder& commit, SessionNo session, const JobId& id, const JobSpec& spec) {
  const BlobRef blob = add_record(commit, session, id, spec, 1, 0);
  const uint64_t seq = seqs_[{session, id.lane()}];
  broker.submit(session, id.lane(), seq, blob);
  broker.lane_advanced(session, id.lane(), {seq, seq * 256}, false);
}

void Driver::submit_as(SessionNo session, const JobId& id, const JobSpec& spec) {
  turn([&](CommitBuilder& commit) { put(commit, session, id, spec); });
}

JobId Driver::submit(SessionNo session, const JobSpec& spec) {
  const JobId id = next_id(session, spec.priority);
  submit_as(session, id, spec);
  return id;
}

std::vector<JobId> Driver::submit_batch(SessionNo session, const std::vector<JobSpec>& specs) {
  std::vector<JobId> ids;
  for (size_t i = 0; i < specs.size(); ++i) ids.push_back(next_id(session, specs.front().priority));
  submit_batch_as(session, ids, specs);
  return ids;
}

void Driver::submit_batch_as(SessionNo session, const std::vector<JobId>& ids,
                             const std::vector<JobSpec>& specs) {
  turn([&](CommitBuilder& commit) {
    std::vector<BlobRef> records;
    const uint8_t lane = ids.front().lane();
    const uint64_t first = seqs_[{session, lane}] + 1;
    for (size_t i = 0; i < ids.size(); ++i) {
      records.push_back(add_record(commit, session, ids[i], specs[i], static_cast<uint32_t>(ids.size()),
                                   static_cast<uint32_t>(i)));
    }
    broker.submit_batch(session, lane, first, records);
    broker.lane_advanced(session, lane, {first + ids.size() - 1, (first + ids.size()) * 256}, false);
  });
}

Error Driver::command(SessionNo session, const Bytes& record) {
  const uint64_t seq = ++seqs_[{session, kControlLane}];
  const size_t before = receipts.size();
  turn([&](CommitBuilder&) {
    broker.control(session, seq, record);
    broker.lane_advanced(session, kControlLane, {seq, seq * 64}, false);
  });
  for (size_t i = before; i < receipts.size(); ++i) {
    const ReceiptIssued& issued = receipts[i].receipt;
    if (issued.session == session && issued.lane == kControlLane && issued.seq == seq)
      return static_cast<Error>(issued.code);
  }
  return Error::kOk;
}

Error Driver::subscribe(SessionNo session, uint32_t credits, const std::vector<std::string_view>& types,
                        std::string_view queue, uint32_t number) {
  return command(session, write_subscribe({number, credits, queue, types}));
}

Error Driver::settle(SessionNo session, RecordKind kind, const Delivered& job, std::string_view body,
                     uint16_t flags) {
  SettleHead head;
  head.head.kind = static_cast<uint8_t>(kind);
  head.head.flags = flags;
  head.token = job.token;
  head.id = job.id;
  return command(session, write_settle(head, as_bytes(body)));
}

std::vector<Delivered> Driver::take(SessionNo session) { return std::exchange(inboxes_[session], {}); }

Delivered Driver::take_one(SessionNo session) {
  const std::vector<Delivered> list = take(session);
  EXPECT_EQ(list.size(), 1u) << "deliveries to session " << session;
  return list.empty() ? Delivered{} : list.front();
}

std::optional<ReceiptIssued> Driver::receipt_of(const JobId& id) const {
  const auto found = std::find_if(receipts.rbegin(), receipts.rend(),
                                  [&](const ReceiptEffect& effect) { return effect.receipt.id == id; });
  return found == receipts.rend() ? std::nullopt : std::optional(found->receipt);
}

Error Driver::refusal_of(const JobId& id) const {
  const auto receipt = receipt_of(id);
  return receipt ? static_cast<Error>(receipt->code) : Error::kOk;
}

JobRow Driver::row(const JobId& id) {
  const Slot slot = state.jobs.find(id);
  if (slot != kNoSlot) return row_of(state, slot);
  const auto stored = store.find_finished(id);
  EXPECT_TRUE(stored.has_value()) << "no job " << id.to_string();
  return stored.value_or(JobRow{});
}

void Driver::checkpoint() {
  state.jobs.for_each([this](Slot slot) {
    JobRow row = row_of(state, slot);
    if (!is_finished(row.core.state)) return;
    if (!is_dead_letter(row.core)) drop_payload(row);
    store.rows[row.core.id] = std::move(row);
  });
  state.idempotency.for_each([this](const ShortHash& key, const IdempotencyKeys::Known& known) {
    if (known.freed)
      store.keys.erase(key);
    else
      store.keys[key] = known.kept;
  });
  state.retire(commits.size());
  state.check_invariants();
}

}  // namespace pqd::test
