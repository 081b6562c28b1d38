#include "tests/sim/engine.h"

#include <algorithm>

#include "core/queries.h"
#include "tests/sim/canary.h"

namespace pqd::sim {
namespace {

constexpr TimeNs kReturnGraceNs = 5 * kSecondNs;
constexpr size_t kUnderWayMax = 4;
constexpr uint64_t kNumbersSkipped = uint64_t{1} << 32;

SessionOpened opened(const SessionMemory& memory) {
  return {memory.number, memory.uid, 4242, memory.tag, memory.secret};
}

// Answered beside the broker, in no journal.
bool is_question(const UpRecord& record, uint8_t lane) {
  const auto kind = static_cast<RecordKind>(record.bytes[offsetof(RecordHead, kind)]);
  return lane == kControlLane && (kind == RecordKind::kWatch || kind == RecordKind::kUnwatch);
}

}  // namespace

std::optional<JobRow> Engine::Rows::find_finished(const JobId& id) {
  const auto bytes = store_.find_done(id);
  if (!*bytes) return std::nullopt;
  auto row = decode_row(**bytes);
  require(row.has_value(), "the row of job ", id, " cannot be read");
  return std::move(*row);
}

RecordsRead Engine::Rows::find_records(JobNo job, const JobId& id) {
  RecordsRead read;
  if (const auto live = store_.find_live(job); *live) {
    auto row = decode_row(**live);
    require(row.has_value(), "the row of the live job ", job, " cannot be read");
    read.add(job, row->record);
    return read;
  }
  auto row = find_finished(id);
  require(row.has_value(), "job ", job, " is in memory without its record, and the store has none");
  read.add(job, row->record);
  return read;
}

Engine::Engine(Surroundings& around, BrokerOptions options, TimeNs now)
    : around_(around), rows_(around.store), options_(std::move(options)), state_(std::make_unique<State>()) {
  epoch_ = around_.store.next_epoch();
  // One engine keeps all records, the next one none that the store has, the one after it a few.
  constexpr std::array<size_t, 3> kRecordBytes{SIZE_MAX, 0, 4'096};
  state_->record_bytes_max = kRecordBytes[epoch_ % kRecordBytes.size()];
  state_->set_record_source(rows_);
  recover_state();
  broker_ = std::make_unique<Broker>(*state_, rows_, options_);
  broker_->changes().set_watched(true);
  inherit_sessions();
  first_turn(now);
}

void Engine::recover_state() {
  FakeStore& store = around_.store;
  const auto recovered =
      recover(store, store.testimony(), *state_, [](uint64_t, ByteView, ByteView) { return true; });
  require(recovered.has_value(), "recovery: ", recovered ? "" : recovered.error().text);
  require(recovered->last_commit == store.written() || recovered->first_stray > recovered->last_commit + 1,
          "recovery ends at commit ", recovered->last_commit, ", the journal at ", store.written());
  store.go_on_after(recovered->last_commit);
  last_ = handed_to_ = recovered->last_commit;
  require(around_.supervisor.told_commit <= last_, "somebody was told a change of commit ",
          around_.supervisor.told_commit, ", the journal ends at ", last_);
  last_hash_ = recovered->last_hash;
  fold_.emplace(store, recovered->checkpoint_tables, recovered->covered);
  const auto folded =
      store.for_each_commit(recovered->covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
        const auto ok = fold_->fold(number, entry, block);
        require(ok.has_value(), "fold into rows: ", ok ? "" : ok.error().text);
        return true;
      });
  require(folded.has_value(), "the journal's tail cannot be read");
  if (around_.walk) state_->check_invariants(State::Walk::kReplayed);
  const auto known = around_.models.find(last_);
  require(known != around_.models.end(), "recovery came to commit ", last_, ", which cannot be");
  around_.model = known->second;
  around_.models.erase(std::next(known), around_.models.end());
  around_.model.restarted();
  around_.model.set_options(options_);
  around_.model.compare(*state_);
}

void Engine::add_port(SessionMemory& memory, const SessionEntry& entry) {
  Port& port =
      ports_.emplace(memory.number, Port{Outbox(memory), {}, {}, 0, SessionWatches(around_.watch_line), {}})
          .first->second;
  for (uint8_t lane = 0; lane < kLanes; ++lane) {
    const uint64_t journaled = entry.lanes[lane].seq;
    port.read[lane] = std::max(journaled, memory.marks[lane].head);
    if (planted("lane-cursor-apart")) port.read[lane] = memory.up[lane].read;
    port.decided_before[lane] = planted("memory-read-again") ? 0 : memory.marks[lane].written;
    require(memory.up[lane].durable_told <= journaled, "session ", memory.number, " lane ", int{lane},
            ": record ", memory.up[lane].durable_told, " was acknowledged, the journal has ", journaled);
  }
  port.outbox.begin_at(entry);
}

void Engine::inherit_sessions() {
  for (auto& [number, memory] : around_.supervisor.sessions) {
    const SessionEntry* entry = state_->tables.session(number);
    if (entry == nullptr) continue;
    add_port(memory, *entry);
    Port& port = ports_.at(number);
    const auto unseen = broker_->deliveries_after(number, memory.deliveries_count);
    around_.model.judge_inherited(number, memory.deliveries_count, unseen);
    for (const DeliveryEffect& delivery : unseen) port.outbox.add(0, delivery);
    for (Slot slot = state_->held(number).head; slot != kNoSlot; slot = state_->jobs[slot].line_next) {
      const JobCore core = state_->jobs.core(slot);
      if (core.cancel_requested) port.outbox.add(0, CancelNotice{number, core.token(), core.id});
    }
    const bool resumed = entry->resumed_from != 0 && entry->resumed_from == memory.claims;
    if (!memory.welcomed) opening_.push_back({number, 0, resumed});
  }
}

void Engine::first_turn(TimeNs now) {
  begin(now);
  broker_->start_epoch(epoch_);
  around_.model.start_epoch(epoch_);
  building_->require_sync();
  for (const auto& [number, port] : ports_) {
    broker_->know_session(number, around_.supervisor.sessions.at(number).groups);
    around_.model.know_session(number);
  }
  open_sessions();
  std::vector<SessionNo> gone;
  for (const auto& [number, entry] : state_->tables.sessions()) {
    if (ports_.contains(number)) continue;
    if (number < around_.supervisor.first_session) {
      broker_->expect_return(number, state_->now() + kReturnGraceNs);
      around_.model.expect_return(number, state_->now() + kReturnGraceNs);
    } else {
      gone.push_back(number);
    }
  }
  for (const SessionNo number : gone) close_session(number);
  count_deliveries();
  judge();
  end();
  hand();
  first_commit_ = handed_to_;
}

// Those of durability `memory` were in no journal: more are passed over than can have been published.
void Engine::count_deliveries() {
  for (const auto& [number, port] : ports_) {
    const SessionEntry* entry = state_->tables.session(number);
    if (entry == nullptr) continue;
    const uint64_t published = around_.supervisor.sessions.at(number).deliveries_count;
    const uint64_t count = std::max(published, entry->deliveries) + kNumbersSkipped;
    broker_->deliveries_counted(number, count);
    around_.model.deliveries_counted(number, count);
  }
}

CommitBuilder& Engine::open_commit() {
  if (!building_) {
    building_.emplace(state_->blocks, ++last_, state_->now());
    receipts_judged_ = deliveries_judged_ = notices_judged_ = changes_judged_ = 0;
  }
  return *building_;
}

void Engine::begin(TimeNs now) {
  broker_->begin_turn(now, open_commit());
  around_.model.begin_turn(now);
}

// What the calls since the last look have brought.
void Engine::judge() {
  const Effects& effects = building_->effects();
  around_.model.judge_receipts(std::span(effects.receipts).subspan(receipts_judged_));
  around_.model.judge_redelivered(std::span(effects.deliveries).subspan(deliveries_judged_));
  around_.model.judge_notices(std::span(effects.notices).subspan(notices_judged_));
  receipts_judged_ = effects.receipts.size();
  deliveries_judged_ = effects.deliveries.size();
  notices_judged_ = effects.notices.size();
  const auto changes = std::span(effects.changes).subspan(changes_judged_);
  around_.model.judge_changes(changes, *state_);
  changes_judged_ = effects.changes.size();
  for (const Change& change : changes) {
    stream_.push_back(change);
    for (auto& [number, port] : ports_)
      for (auto& [request, watch] : port.judges) watch.happened(change, *state_);
  }
}

void Engine::end() {
  broker_->end_turn();
  const Effects& effects = building_->effects();
  for (size_t i = deliveries_judged_; i < effects.deliveries.size(); ++i) {
    const DeliveryEffect& d = effects.deliveries[i];
    around_.trace.say(state_->now(), "job ", d.id, " goes to session ", d.session, " as delivery ", d.number,
                      ", attempt ", d.attempt);
  }
  around_.model.end_turn(std::span(effects.receipts).subspan(receipts_judged_),
                         std::span(effects.deliveries).subspan(deliveries_judged_), *state_);
  receipts_judged_ = effects.receipts.size();
  deliveries_judged_ = effects.deliveries.size();
  judge();
  compare();
  if (around_.walk) state_->check_invariants();
  ++around_.figures.turns;
}

void Engine::compare() {
  around_.model.compare(*state_);
  const auto due = around_.model.next_due();
  const auto timer = broker_->next_timer_ns();
  require(!due || (timer && *timer <= *due + kMillisecondNs), "something is due and no timer is set for it");
  for (const JobId& id : around_.model.take_finished()) {
    const Slot slot = state_->jobs.find(id);
    require(slot != kNoSlot, "job ", id, " is forgotten before its row is in the store");
  }
}

void Engine::turn(TimeNs now, Random& random, uint64_t greed) {
  if (!serving_ || handed_.size() >= kUnderWayMax) return;
  begin(now);
  open_sessions();
  std::vector<SessionNo> order;
  for (const auto& [number, port] : ports_) order.push_back(number);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const SessionNo number : order) {
    const auto first = static_cast<uint8_t>(random.below(kLanes));
    for (uint8_t i = 0; i < kLanes; ++i) drain(number, static_cast<uint8_t>((first + i) % kLanes), greed);
  }
  for (auto& [number, port] : ports_) {
    const uint64_t taken = around_.supervisor.sessions.at(number).receipts_read;
    if (taken == port.receipts_noted || !random.chance(1, 4)) continue;
    broker_->receipts_taken(number, taken);
    port.receipts_noted = taken;
  }
  close_sessions();
  end();
  answer_questions();
}

bool Engine::open_session(const SessionMemory& memory) {
  broker_->open_session(opened(memory), memory.groups);
  around_.model.open_session(opened(memory), memory.groups);
  if (memory.claims == 0) return false;
  const bool resumed =
      broker_->resume_session(memory.claims, memory.number, memory.claim_proof, memory.deliveries_seen);
  const bool expected =
      around_.model.resume_session(memory.claims, memory.number, memory.claim_proof, memory.deliveries_seen);
  require(resumed == expected, "session ", memory.number,
          resumed ? " resumed session " : " did not resume session ", memory.claims);
  judge();
  if (const auto earlier = ports_.find(memory.claims); resumed && earlier != ports_.end()) {
    earlier->second.outbox.drop(*state_);
    ports_.erase(earlier);
    around_.supervisor.sessions.erase(memory.claims);
  }
  return resumed;
}

void Engine::open_sessions() {
  std::vector<SessionNo> arrived;
  for (const auto& [number, memory] : around_.supervisor.sessions)
    if (!ports_.contains(number)) arrived.push_back(number);
  for (const SessionNo number : arrived) {
    const auto at = around_.supervisor.sessions.find(number);
    if (at == around_.supervisor.sessions.end()) continue;  // resumed by one that came later
    SessionMemory& memory = at->second;
    add_port(memory, SessionEntry{});
    const bool resumed = open_session(memory);
    opening_.push_back({number, building_->number(), resumed});
    around_.trace.say(state_->now(), "session ", number, " of user ", memory.uid, " opens",
                      resumed ? " and resumes session " : ", earlier ", memory.claims);
  }
}

void Engine::close_session(SessionNo session) {
  broker_->close_session(session);
  around_.model.close_session(session);
  around_.trace.say(state_->now(), "session ", session, " closes");
}

// What a client had published before it went is taken first, but for what its unread receipts hold back.
void Engine::close_sessions() {
  std::vector<SessionNo> gone;
  for (const auto& [number, port] : ports_) {
    const SessionMemory& memory = around_.supervisor.sessions.at(number);
    bool left = false;
    const bool held_back = port.outbox.receipts_waiting() >= around_.receipt_slots;
    for (uint8_t lane = 0; lane < kLanes; ++lane) left |= memory.up[lane].tail > port.read[lane];
    if (memory.gone && (!left || held_back)) gone.push_back(number);
  }
  for (const SessionNo number : gone) {
    close_session(number);
    ports_.at(number).outbox.drop(*state_);
    ports_.erase(number);
    around_.supervisor.sessions.erase(number);
  }
  judge();
}

void Engine::drain(SessionNo session, uint8_t lane, uint64_t greed) {
  SessionMemory& memory = around_.supervisor.sessions.at(session);
  Port& port = ports_.at(session);
  UpLane& up = memory.up[lane];
  uint64_t taken = 0;
  while (taken < greed && port.read[lane] < up.tail && !building_->full()) {
    if (port.outbox.receipts_waiting() >= around_.receipt_slots) break;
    const size_t at = port.read[lane] + 1 - up.records.front().seq;
    const UpRecord& record = up.records[at];
    require(record.seq == port.read[lane] + 1, "lane ", int{lane}, " skips a record");
    ++port.read[lane];
    ++taken;
    if (record.seq <= port.decided_before[lane]) continue;
    demand_new(record, lane);
    if (is_question(record, lane)) {
      questions_.emplace_back(session, record.bytes);
    } else if (lane == kControlLane) {
      broker_->control(session, record.seq, record.bytes);
      around_.model.control(session, record.seq, record.bytes);
    } else {
      SubmitHead head;
      std::memcpy(&head, record.bytes.data(), sizeof head);
      if (head.batch_count > 1 && head.batch_index != 0) {
        // Of an atomic submit that was answered in part before its client lost the session.
        broker_->refuse_record(session, lane, record.seq, Error::kInvalidRequest, head.head.kind);
        around_.model.refuse_record(session, lane, record.seq, Error::kInvalidRequest);
      } else if (head.batch_count > 1) {
        take_batch(memory, lane, at, head.batch_count);
        port.read[lane] += head.batch_count - 1;
      } else {
        BlobRef blob;
        std::ranges::copy(record.bytes, building_->add_room(record.bytes.size(), blob).begin());
        broker_->submit(session, lane, record.seq, blob);
        around_.model.submit(session, lane, record.seq, record.bytes);
      }
    }
    judge();
  }
  if (taken == 0) return;
  up.read = port.read[lane];
  broker_->lane_advanced(session, lane, {port.read[lane], port.read[lane] * 64},
                         port.outbox.receipts_waiting() > 0);
}

// One that is sent again, in another session, may have been forgotten by everybody.
void Engine::demand_new(const UpRecord& record, uint8_t lane) {
  if (lane == kControlLane) return;
  SubmitHead head;
  std::memcpy(&head, record.bytes.data(), sizeof head);
  const bool again = (head.head.flags & kFlagResubmitted) != 0;
  require(again || !around_.supervisor.memory_jobs_out.contains(head.id), "the record of job ", head.id,
          " is read again, and somebody has been given the job");
}

void Engine::take_batch(SessionMemory& memory, uint8_t lane, size_t at, uint32_t count) {
  std::vector<BlobRef> blobs;
  std::vector<ByteView> records;
  for (size_t i = at; i < at + count; ++i) {
    const Bytes& bytes = memory.up[lane].records[i].bytes;
    std::ranges::copy(bytes, building_->add_room(bytes.size(), blobs.emplace_back()).begin());
    records.emplace_back(bytes);
  }
  if (planted("batch-job-lost") && blobs.size() > 2) blobs.pop_back();
  broker_->submit_batch(memory.number, lane, memory.up[lane].records[at].seq, blobs);
  around_.model.submit_batch(memory.number, lane, memory.up[lane].records[at].seq, records);
}

// Turns that wrote nothing, or nothing that they depend on, may still have effects: these depend on what was
// handed over before them. Every other commit of that kind goes with them all the same.
bool Engine::hand() {
  if (!has_events() || lets_effects_go()) {
    if (!has_effects()) return false;
    spread(handed_to_, std::exchange(building_->effects(), {}));
    receipts_judged_ = deliveries_judged_ = notices_judged_ = changes_judged_ = 0;
    return true;
  }
  if (handed_.size() >= kUnderWayMax) return false;
  Commit commit = building_->close(last_hash_);
  building_.reset();
  last_hash_ = commit.hash;
  handed_to_ = commit.number;
  needs_sync_[commit.number] = commit.needs_sync;
  around_.models.insert_or_assign(commit.number, around_.model);
  spread(commit.number, commit.effects);
  handed_.push_back(std::move(commit));
  ++around_.figures.commits;
  return true;
}

void Engine::spread(uint64_t commit, const Effects& effects) {
  const auto to = [&](SessionNo session, const auto& effect) {
    const auto port = ports_.find(session);
    if (port != ports_.end()) port->second.outbox.add(commit, effect);
    return port != ports_.end();
  };
  for (const ReceiptEffect& effect : effects.receipts) to(effect.receipt.session, effect);
  for (const DeliveryEffect& effect : effects.deliveries)
    if (!to(effect.session, effect)) state_->blocks.drop_user(effect.record.block);
  for (const CancelNotice& notice : effects.notices) to(notice.session, notice);
  for (auto& [number, port] : ports_) port.watches.offer(effects.changes, state_->tables);
  for (const LaneEffect& effect : effects.lanes) to(effect.session, effect);
}

bool Engine::write_one() {
  if (handed_.empty()) return false;
  const Commit& commit = handed_.front();
  around_.store.append(commit.number, commit.entry, commit.block_bytes);
  written_.push_back(std::move(handed_.front()));
  handed_.pop_front();
  return true;
}

void Engine::sync() {
  around_.store.sync(around_.store.written());
  needs_sync_.erase(needs_sync_.begin(), needs_sync_.upper_bound(around_.store.synced()));
  // Nothing goes back behind a sync.
  auto& models = around_.models;
  models.erase(models.begin(), models.lower_bound(around_.store.synced()));
}

Progress Engine::progress() const {
  Progress progress{handed_to_, around_.store.written(), around_.store.written(), around_.store.synced()};
  for (const auto& [number, needed] : needs_sync_) {
    if (!needed || number > progress.written) continue;
    progress.done = number - 1;
    break;
  }
  return progress;
}

void Engine::checkpoint(Random& random) {
  fold_some(random);
  around_.store.testify(around_.store.synced());
  if (!fold_->pending()) return;
  around_.store.checkpoint(fold_->take());
  state_->retire(fold_->folded());
  ++around_.figures.checkpoints;
}

void Engine::begin_checkpoint(Random& random) {
  fold_some(random);
  if (!fold_->pending()) return;
  const CheckpointBatch batch = fold_->take();
  around_.store.rows_ahead(batch, random.below(batch.done_puts.size() + 1));
}

void Engine::fold_some(Random& random) {
  const uint64_t count = random.below(written_.size() + 1);
  for (uint64_t i = 0; i < count; ++i) {
    const Commit& commit = written_.front();
    const auto ok = fold_->fold(commit.number, *commit.entry, *commit.block_bytes);
    require(ok.has_value(), "fold into rows: ", ok ? "" : ok.error().text);
    written_.pop_front();
  }
}

void Engine::welcome() {
  const Progress now = progress();
  serving_ = serving_ || now.synced >= first_commit_;
  std::erase_if(opening_, [&](const Opening& opening) {
    if (!serving_ || opening.commit > now.done) return false;
    const auto memory = around_.supervisor.sessions.find(opening.session);
    if (memory == around_.supervisor.sessions.end()) return true;
    memory->second.welcomed = true;
    memory->second.resumed = opening.resumed;
    return true;
  });
}

void Engine::publish(uint64_t looks) {
  welcome();
  if (!serving_) return;
  const Progress now = progress();
  const bool first = planted("delivered-before-told");
  for (const bool deliver : {first, !first}) {
    for (auto& [number, port] : ports_) {
      if (looks-- == 0) return;
      if (!deliver) {
        port.outbox.tell(now, around_.receipt_slots);
        continue;
      }
      port.outbox.deliver(now, *state_, around_.supervisor.memory_jobs_out);
      tell_watches(port, around_.supervisor.sessions.at(number), now.done);
    }
  }
}

void Engine::set_intake(Error refusal) {
  broker_->set_intake(refusal);
  around_.model.set_intake(refusal);
}

std::optional<JobRow> Engine::find_row(const JobId& id) {
  const Slot slot = state_->jobs.find(id);
  return slot != kNoSlot ? std::optional(row_of(*state_, slot)) : rows_.find_finished(id);
}

}  // namespace pqd::sim
