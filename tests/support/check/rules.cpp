// One function a rule. Each looks at the whole history, however long it takes.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tests/support/check/rules.h"

namespace pqd::check {
namespace {

class Rules {
 public:
  explicit Rules(const History& history) : history_(history) {
    for (const Submission& s : history.submissions()) by_id_[s.id].push_back(&s);
    for (const Taking& t : history.takings()) taken_[t.id].push_back(&t);
  }

  std::vector<std::string> all() {
    nothing_is_lost();
    one_job_a_key();
    batches_are_whole();
    nothing_comes_from_nowhere();
    payloads_are_the_same();
    attempts_are_bounded();
    at_most_once();
    nothing_after_completion();
    one_lease_at_a_time();
    keys_keep_their_order();
    everything_ends();
    return std::move(broken_);
  }

 private:
  void broken(const JobId& id, const std::string& rule) {
    broken_.push_back("job " + id.to_string() + " " + rule);
  }
  const FinalState* final_state(const JobId& id) const {
    const auto at = history_.final_states().find(id);
    return at == history_.final_states().end() ? nullptr : &at->second;
  }
  // Was this acknowledged as done, and does that still count after the crashes that came?
  bool kept(const Submission& s) const {
    if (s.outcome != Outcome::kOk) return false;
    if (s.durability == Durability::kMemory) return !history_.engine_died_after(s.asked_at);
    return s.durability == Durability::kFsync || !history_.power_cut_after(s.acknowledged_at);
  }

  // Nobody remembers a job of durability `memory` whose client lost its session before it heard of it: sent
  // again it is a new one. One that may run once at most is not sent again.
  static bool forgotten(const Submission& s) { return s.durability == Durability::kMemory && s.sent_again; }
  bool forgotten(const JobId& id) const {
    const auto at = by_id_.find(id);
    return at != by_id_.end() && forgotten(*at->second.front());
  }

  void nothing_is_lost() {
    for (const Submission& s : history_.submissions())
      if (kept(s) && final_state(s.another_job() ? s.first : s.id) == nullptr)
        broken(s.id, "was acknowledged and is lost");
  }

  // The window is 24 hours by the daemon's clock, which may lag behind that of who looks from outside.
  void one_job_a_key() {
    constexpr int64_t kSurelyWithinNs = INT64_C(22) * 3'600 * 1'000'000'000;
    std::map<std::tuple<uint32_t, std::string, std::string, std::string>, std::vector<const Submission*>>
        keys;
    for (const Submission& s : history_.submissions()) {
      if (s.idempotency_key.empty() || s.outcome != Outcome::kOk) continue;
      const auto& others = keys[{s.user, s.subject, s.queue, s.idempotency_key}];
      if (s.another_job()) {
        if (final_state(s.id) != nullptr) broken(s.id, "was called a duplicate and is there");
        continue;
      }
      if (final_state(s.id) == nullptr) continue;
      for (const Submission* other : others)
        if (s.id != other->id && s.acknowledged_ns - other->submitted_ns < kSurelyWithinNs &&
            other->acknowledged_ns - s.submitted_ns < kSurelyWithinNs)
          broken(s.id, "is there beside job " + other->id.to_string() + " of the same idempotency key");
      keys[{s.user, s.subject, s.queue, s.idempotency_key}].push_back(&s);
    }
  }

  void batches_are_whole() {
    std::map<uint64_t, std::pair<size_t, size_t>> there;  // how many of how many
    for (const Submission& s : history_.submissions()) {
      // With an idempotency key it may have been there before, and nobody heard of it.
      if (s.batch == 0 || (!s.idempotency_key.empty() && final_state(s.id) == nullptr)) continue;
      there[s.batch].first += final_state(s.id) != nullptr ? 1u : 0u;
      ++there[s.batch].second;
    }
    for (const auto& [batch, count] : there)
      if (count.first != 0 && count.first != count.second)
        broken_.push_back("of an atomic submit of " + std::to_string(count.second) + " jobs " +
                          std::to_string(count.first) + " are there");
  }

  void nothing_comes_from_nowhere() {
    const auto comes_from_somewhere = [this](const JobId& id) {
      return by_id_.contains(id) || id.tag() == JobId::kScheduleTag;  // see schedule_rules.cpp
    };
    for (const Taking& t : history_.takings())
      if (!comes_from_somewhere(t.id)) broken(t.id, "was delivered and nobody submitted it");
    for (const auto& [id, state] : history_.final_states())
      if (!comes_from_somewhere(id)) broken(id, "is there and nobody submitted it");
    for (const auto& [id, list] : by_id_) {
      // A first submit that was refused may have been sent again, and taken then. An atomic one that was
      // taken may be refused as a whole when it is sent again, because an idempotency key in it is over or
      // another's by then.
      bool refused = true;
      for (const Submission* s : list)
        refused &= s->outcome == Outcome::kRefused && !(s->sent_again && s->batch != 0) && !forgotten(*s);
      if (refused && (taken_.contains(id) || final_state(id) != nullptr))
        broken(id, "was refused and is there");
    }
  }

  void payloads_are_the_same() {
    for (const Taking& t : history_.takings()) {
      const auto at = by_id_.find(t.id);
      if (at != by_id_.end() && at->second.front()->payload != t.payload)
        broken(t.id, "was delivered with another payload");
    }
    for (const auto& [id, state] : history_.final_states()) {
      const bool dead =
          (state.state == JobState::kFailed || state.state == JobState::kTimeout) && !state.purged;
      const auto at = by_id_.find(id);
      if (dead && at != by_id_.end() && at->second.front()->payload != state.payload)
        broken(id, "is a dead letter with another payload");
    }
  }

  // A power cut may take an attempt back; then a consumer sees the same number again, never a higher one.
  void attempts_are_bounded() {
    for (const Taking& t : history_.takings())
      if (t.attempt == 0 || t.attempt > t.max_attempts) broken(t.id, "was delivered beyond its attempts");
    for (const auto& [id, state] : history_.final_states()) {
      if (state.attempts > state.max_attempts) broken(id, "has more attempts than it may");
      const bool failed = state.state == JobState::kFailed;
      if (failed && state.ended_attempts < state.attempts) broken(id, "is a dead letter without its history");
      if (state.failures + state.deaths < (failed ? state.attempts : 0))
        broken(id, "has ends of attempts that nobody counted");
    }
  }

  void at_most_once() {
    for (const auto& [id, list] : taken_) {
      const auto at = by_id_.find(id);
      if (at == by_id_.end() || at->second.front()->delivery != Delivery::kAtMostOnce) continue;
      if (list.size() > 1 + history_.redrives(id))
        broken(id, "is at-most-once and was delivered " + std::to_string(list.size()) + " times");
    }
  }

  void nothing_after_completion() {
    // A consumer may read late what had been delivered earlier: the leases tell.
    std::map<JobId, LeaseToken> completed;
    for (const Settlement& s : history_.settlements())
      if (s.verdict == Verdict::kComplete && s.outcome == Outcome::kOk) completed.emplace(s.id, s.token);
    for (const auto& [id, token] : completed) {
      if (forgotten(id)) continue;
      for (const Taking* t : taken_[id])
        if (lease_of(t->token) > lease_of(token))
          broken(id, "was delivered after its completion was acknowledged");
      const FinalState* end = final_state(id);
      if (end != nullptr && end->state != JobState::kCompleted && end->state != JobState::kCancelled)
        broken(id, "was completed and is " + std::string(state_name(end->state)));
    }
  }

  void one_lease_at_a_time() {
    std::map<Lease, const Taking*> of_lease;
    for (const Taking& t : history_.takings()) {
      const auto [at, fresh] = of_lease.emplace(lease_of(t.token), &t);
      if (!fresh && at->second->id != t.id) broken(t.id, "has a lease that another job has");
      if (!fresh && at->second->consumer != t.consumer)
        broken(t.id, "was given to two consumers under one lease");
    }
    // A settlement that was sent again may be told twice that it counts; another one under its lease may not,
    // unless the job was to be cancelled: then all of them lead there.
    std::map<Lease, std::set<Verdict>> settled;
    for (const Settlement& s : history_.settlements()) {
      if (s.outcome != Outcome::kOk) continue;
      std::set<Verdict>& verdicts = settled[lease_of(s.token)];
      verdicts.insert(s.verdict);
      const FinalState* end = final_state(s.id);
      const bool cancelled = end != nullptr && end->state == JobState::kCancelled;
      if (verdicts.size() > 1 && verdicts.contains(Verdict::kComplete) && !cancelled)
        broken(s.id, "was completed and settled otherwise under one lease");
      if (!of_lease.contains(lease_of(s.token))) broken(s.id, "was settled under a lease that nobody got");
    }
  }

  // Of two jobs that one client sent in one lane with one ordering key, the earlier is over before the later
  // begins.
  void keys_keep_their_order() {
    std::map<std::tuple<uint64_t, std::string, std::string>, std::vector<const Submission*>> lines;
    for (const Submission& s : history_.submissions())
      if (!s.ordering_key.empty() && !s.sent_again) lines[{s.lane, s.queue, s.ordering_key}].push_back(&s);
    for (const auto& [line, jobs] : lines) {
      const Taking* latest = nullptr;  // of all jobs before
      for (const Submission* job : jobs) {
        if (job->outcome != Outcome::kOk || !kept(*job)) continue;
        if (latest != nullptr) overtaken(*latest, *job);
        if (history_.redrives(job->id) > 0) continue;
        for (const Taking* t : taken_[job->id])
          if (latest == nullptr || lease_of(t->token) > lease_of(latest->token)) latest = t;
      }
    }
  }
  void overtaken(const Taking& latest, const Submission& second) {
    for (const Taking* of_second : taken_[second.id])
      // With the power went the end of the first, and that the second was delivered.
      if (lease_of(latest.token) > lease_of(of_second->token) && !history_.power_cut_after(of_second->step))
        return broken(second.id,
                      "was delivered before job " + latest.id.to_string() + " of its key was over");
  }

  void everything_ends() {
    for (const auto& [id, state] : history_.final_states())
      if (!is_finished(state.state)) broken(id, "never ends");
  }

  const History& history_;
  std::map<JobId, std::vector<const Submission*>> by_id_;
  std::map<JobId, std::vector<const Taking*>> taken_;
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_rules(const History& history) {
  std::vector<std::string> broken = Rules(history).all();
  broken_lives(history, broken);
  broken_schedules(history, broken);
  return broken;
}

}  // namespace pqd::check
