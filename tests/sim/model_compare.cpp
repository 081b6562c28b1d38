// What can be asked, asked of both.
#include <algorithm>

#include "core/explain.h"
#include "core/queries.h"
#include "tests/sim/model.h"

namespace pqd::sim {
namespace {

constexpr size_t kExplained = 100;

}  // namespace

bool Model::first_of_key(const ModelJob& job) const {
  if (job.key.empty()) return true;
  return std::ranges::none_of(live_, [&](const auto& entry) {
    const ModelJob& other = entry.second;
    return other.queue == job.queue && other.key == job.key && other.arrival < job.arrival;
  });
}

// The end of a backoff with jitter is the broker's to choose, within its bounds.
void Model::adopt_jitter(const State& state) {
  for (auto& [id, job] : live_) {
    if (!job.waits(Pending::kBackoff) || job.retry_latest == 0) continue;
    const Slot slot = state.jobs.find(id);
    if (slot == kNoSlot) continue;
    const JobCore core = state.jobs.core(slot);
    if (job.retry_latest != job.retry_earliest) {
      // At the end of the turn it may have been ready again already; then it was within its bounds.
      const TimeNs chosen = core.start_after_ns;
      require(chosen >= job.retry_earliest && chosen <= job.retry_latest, "the backoff of job ", id, " ends ",
              chosen - job.retry_earliest, " ns after its earliest end");
      job.deadline = job.not_before = chosen;
    }
    job.retry_latest = 0;
  }
}

std::optional<TimeNs> Model::next_due() const {
  std::optional<TimeNs> next;
  const auto take = [&next](TimeNs at) { next = std::min(next.value_or(at), at); };
  for (const auto& [id, job] : live_)
    if (job.deadline != 0) take(job.deadline);
  for (const auto& [number, session] : sessions_)
    if (session.away_until != 0) take(session.away_until);
  for (const auto& [name, schedule] : schedules_)
    if (schedule.due > now_) take(schedule.due);
  return next;
}

std::optional<TimeNs> Model::next_free_key() const {
  std::optional<TimeNs> next;
  for (const auto& [scope, key] : keys_)
    if (key.until > now_) next = std::min(next.value_or(key.until), key.until);
  return next;
}

void Model::compare(const State& state) const {
  size_t live = 0;
  state.jobs.for_each([&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (is_finished(core.state)) return;
    ++live;
    require(live_.contains(core.id), "job ", core.id, " is ", state_name(core.state), " and should not be");
  });
  require(live == live_.size(), live, " live jobs, not ", live_.size());
  for (const auto& [id, job] : live_) compare_job(state, job);
  for (const auto& [name, queue] : queues_) compare_queue(state, name);
  compare_schedules(state);
  const std::map<JobId, uint8_t> ranks = parked_ranks();
  std::map<std::string, Wanted> types;
  std::map<JobId, uint64_t> turns;
  for (const auto& [name, queue] : queues_) {
    types[name] = wanted(name);
    count_turns(name, turns);
  }
  // Each takes a look at all others: of many only some, at each look others.
  const size_t stride = live_.size() / kExplained + 1;
  size_t at = state.commit;
  for (const auto& [id, job] : live_)
    if (at++ % stride == 0) compare_explanation(state, job, types[job.queue], ranks, turns);
}

namespace {

void compare_row(const ModelJob& job, const JobRow& row) {
  const JobCore& core = row.core;
  const auto same = [&](bool holds, const auto&... what) { require(holds, "job ", job.id, ": ", what...); };
  same(core.state == job.state, state_name(core.state), ", not ", state_name(job.state));
  same(core.attempts == job.attempts && core.max_attempts == job.max_attempts, core.attempts, " attempts of ",
       core.max_attempts, ", not ", job.attempts, " of ", job.max_attempts);
  same(core.failures == job.failures && core.deaths == job.deaths, core.failures, " failures and ",
       core.deaths, " deaths, not ", job.failures, " and ", job.deaths);
  same(core.owner_uid == job.owner, "another owner");
  same(core.durability == job.durability, "another durability");
  same(core.holder == job.holder, "held by session ", core.holder, ", not ", job.holder);
  same(core.cancel_requested == job.cancel_requested, "the cancel flag differs");
  same(core.progress == job.progress, "progress ", int{core.progress}, ", not ", int{job.progress});
  same(core.redriven == job.redriven, "redriven or not");
  same(core.reviewed == job.reviewed && core.purged == job.purged, "reviewed or purged, or not");
  same(row.reviews.size() == job.reviews.size(), "another number of reviews");
  for (size_t i = 0; i < job.reviews.size(); ++i)
    same(row.reviews[i].uid == job.reviews[i].first && row.reviews[i].resolution == job.reviews[i].second,
         "review ", i, " differs");
  same(!is_finished(job.state) || core.reason == job.reason, "ended because ", reason_name(core.reason),
       ", not ", reason_name(job.reason));
  same(row.note == job.note, "its note differs");
  same(as_text(row.result) == job.result, "its result differs");
  same(row.history.size() == job.history.size(), row.history.size(), " attempts in its history, not ",
       job.history.size());
  for (size_t i = 0; i < job.history.size(); ++i) {
    const AttemptInfo& got = row.history[i];
    const ModelAttempt& want = job.history[i];
    same(got.attempt == want.attempt && got.reason == want.reason && got.session == want.session &&
             got.error == want.error,
         "attempt ", i, " of its history differs: ", reason_name(got.reason), ", not ",
         reason_name(want.reason));
  }
  const auto submit = read_submit_record(row.record);
  same(submit.has_value(), "its record cannot be read");
  same(row.payload_dropped || as_text(submit->payload) == job.payload, "its payload differs");
  same(!job.dead_letter() || !row.payload_dropped, "a dead letter without its payload");
}

}  // namespace

void Model::compare_job(const State& state, const ModelJob& job) const {
  const Slot slot = state.jobs.find(job.id);
  require(slot != kNoSlot, "job ", job.id, " is lost: it should be ", state_name(job.state));
  const JobCore core = state.jobs.core(slot);
  compare_row(job, row_of(state, slot));
  if (job.held_by_consumer()) {
    require(core.token() == job.token && core.subscription == job.subscription, "job ", job.id,
            ": another lease");
    require(core.lease_until_ns == job.deadline, "job ", job.id, ": its lease ends ",
            core.lease_until_ns - job.deadline, " ns later than it should");
    return;
  }
  require(core.pending == job.pending, "job ", job.id, " waits for ", static_cast<int>(core.pending),
          ", not ", static_cast<int>(job.pending));
  if (job.pending == Pending::kBackoff || job.pending == Pending::kScheduled)
    require(core.start_after_ns == job.deadline, "job ", job.id, " starts at another time");
  if (job.pending == Pending::kReady || job.pending == Pending::kCollecting)
    require(core.ready_ns == job.ready_at, "job ", job.id, " became ready at another time");
}

void Model::compare_finished(bool of_memory,
                             const std::function<std::optional<JobRow>(const JobId&)>& find) const {
  for (const auto& [id, job] : finished_) {
    if (job.in_memory() != of_memory) continue;
    const auto row = find(id);
    require(row.has_value(), "job ", id, " is lost: it was ", state_name(job.state));
    compare_row(job, *row);
  }
}

void Model::compare_queue(const State& state, const std::string& name) const {
  const auto number = state.tables.find_queue(name);
  require(number.has_value(), "queue ", name, " is not there");
  const QueueInfo info = queue_info(state, *number);
  const ModelQueue& queue = queues_.at(name);
  QueueInfo want;
  for (const auto& [id, job] : live_) {
    if (job.queue != name) continue;
    if (!job.parked()) want.bytes += job.payload.size();
    if (job.held_by_consumer()) {
      ++want.active;
      continue;
    }
    switch (job.pending) {
      case Pending::kReady:
        ++want.ready;
        want.oldest_ready_ns =
            want.oldest_ready_ns == 0 ? job.ready_at : std::min(want.oldest_ready_ns, job.ready_at);
        break;
      case Pending::kParked:
        ++want.parked;
        break;
      case Pending::kHeld:
        ++want.held;
        break;
      case Pending::kCollecting:
        ++want.collecting;
        break;
      default:
        ++want.scheduled;
    }
  }
  for (const auto& [id, job] : finished_) want.dlq += job.queue == name && job.dead_letter() ? 1u : 0u;
  for (const auto& [session, entry] : sessions_)
    for (const auto& [sub, subscription] : entry.subscriptions)
      want.consumers += subscription.queue == name ? 1u : 0u;
  const auto same = [&name](const char* what, uint64_t got, uint64_t expected) {
    require(got == expected, "queue ", name, ": ", got, " ", what, ", not ", expected);
  };
  same("paused", info.paused, queue.paused);
  same("draining", info.draining, queue.draining);
  same("ready", info.ready, want.ready);
  same("since, the longest wait", static_cast<uint64_t>(info.oldest_ready_ns),
       static_cast<uint64_t>(want.oldest_ready_ns));
  same("scheduled", info.scheduled, want.scheduled);
  same("active", info.active, want.active);
  same("parked", info.parked, want.parked);
  same("held", info.held, want.held);
  same("collecting", info.collecting, want.collecting);
  same("dead letters", info.dlq, want.dlq);
  same("bytes", info.bytes, want.bytes);
  same("consumers", info.consumers, want.consumers);
  require(info.settings == queue.settings, "queue ", name, " has other settings");
  require(info.overridden == queue.overridden && info.overridden_uid == queue.overridden_by &&
              info.overridden_ns == queue.overridden_at,
          "queue ", name, ": set at run time by somebody else, at another time, or in another place");
}

uint64_t Model::parked_before(const ModelJob& job, const std::map<JobId, uint8_t>& ranks) const {
  const auto place = [&ranks](const ModelJob& j) { return std::pair(-ranks.at(j.id), j.arrival); };
  uint64_t count = 0;
  for (const auto& [id, other] : live_)
    count += other.queue == job.queue && other.parked() && place(other) < place(job) ? 1u : 0u;
  return count;
}

void Model::compare_explanation(const State& state, const ModelJob& job, const Wanted& types,
                                const std::map<JobId, uint8_t>& ranks,
                                const std::map<JobId, uint64_t>& turns) const {
  const Explanation e = explain(state, state.jobs.find(job.id), {.uid = job.owner});
  Awaits awaits = Awaits::kSettling;
  uint64_t before = 0;
  const ModelJob* first = nullptr;
  TimeNs until = job.deadline;
  if (!job.held_by_consumer()) {
    const ModelQueue& queue = queues_.at(job.queue);
    const auto takes = [&](const auto& session) {
      return std::ranges::any_of(session.second.subscriptions, [&](const auto& entry) {
        const ModelSubscription& s = entry.second;
        return s.queue == job.queue && (s.types.empty() || s.types.contains(job.type));
      });
    };
    switch (job.pending) {
      case Pending::kParked:
        awaits = Awaits::kRoom;
        before = parked_before(job, ranks);
        break;
      case Pending::kScheduled:
        awaits = Awaits::kItsTime;
        break;
      case Pending::kCollecting:
        awaits = Awaits::kBatch;
        until = INT64_MAX;
        for (const auto& [id, other] : live_) {
          if (!collect_together(other, job)) continue;
          before += other.ready_order < job.ready_order ? 1u : 0u;
          until = std::min(until, other.deadline);
        }
        break;
      case Pending::kBackoff:
        awaits = Awaits::kBackoff;
        break;
      case Pending::kHeld:
        awaits = Awaits::kItsKey;
        for (const auto& [id, other] : live_) {
          if (other.queue != job.queue || other.key != job.key || other.arrival >= job.arrival) continue;
          ++before;
          if (first == nullptr || other.arrival < first->arrival) first = &other;
        }
        break;
      case Pending::kReady:
        before = turns.at(job.id);
        if (queue.paused)
          awaits = Awaits::kResume;
        else if (std::ranges::none_of(sessions_, takes))
          awaits = Awaits::kConsumer;
        else if (queue.settings.max_active != 0 && active(job.queue) >= queue.settings.max_active)
          awaits = Awaits::kMaxActive;
        else
          awaits = types.has(job.type) ? Awaits::kItsTurn : Awaits::kCredit;
        break;
    }
  }
  require(e.awaits == awaits, "job ", job.id, " is explained as waiting for ", awaits_name(e.awaits),
          ", not ", awaits_name(awaits));
  require(e.ahead == before || (job.waits(Pending::kReady) && turns_are_guessed(job)), "job ", job.id, ": ",
          e.ahead, " ahead of it, not ", before);
  const JobId behind = first != nullptr && first->owner == job.owner ? first->id : JobId{};
  require(e.behind == behind, "job ", job.id, ": its owner is told that it stands behind ", e.behind);
  if (job.parked() || job.held_by_consumer() || job.waits(Pending::kBackoff) ||
      job.waits(Pending::kScheduled) || job.waits(Pending::kCollecting))
    require(e.until_ns == until, "job ", job.id, " is explained as waiting until another time");
  if (job.waits(Pending::kReady))
    require(e.timeout_ns == job.deadline, "job ", job.id, " is explained as timing out at another time");
}

}  // namespace pqd::sim
