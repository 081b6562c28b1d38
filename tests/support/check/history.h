// What was done to a daemon and what it answered, seen from outside by those who used it: the input of the
// check. Whoever crashes things on purpose keeps one: the simulator, and tests that kill real processes.
// Order is that of the calls here; one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/job.h"

namespace pqd::check {

// kUnknown: whoever asked died, or never heard.
enum class Outcome : uint8_t { kUnknown, kOk, kRefused };

struct Submission {
  JobId id;
  uint32_t user = 0;
  uint64_t lane = 0;  // of whichever client: submissions of one lane are in order
  std::string payload;
  std::string queue, type, ordering_key;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint16_t max_attempts = 0;  // 0 = the queue's
  uint64_t batch = 0;         // atomic submits that belong together have one number; 0 = alone
  Outcome outcome = Outcome::kUnknown;
  uint64_t asked_at = 0;         // step of the history
  uint64_t acknowledged_at = 0;  // 0 = never
  bool sent_again = false;       // after a reconnect: what was refused unheard may count then
  std::string idempotency_key, subject;
  JobId first{};  // told: it is a duplicate of this job; itself, or none = it is not
  int64_t submitted_ns = 0, acknowledged_ns = 0;  // by the clock of the daemon's host

  bool another_job() const { return first != JobId{} && first != id; }
};

struct Taking {  // a consumer got a job
  uint64_t step = 0;
  JobId id;
  LeaseToken token;
  uint64_t consumer = 0;
  uint16_t attempt = 0;
  uint16_t max_attempts = 0;
  std::string payload;
  int64_t at_ns = 0;  // by the clock of the daemon's host; 0 = nobody looked
};

enum class Verdict : uint8_t { kComplete, kFail, kRelease };
struct Settlement {
  JobId id;
  LeaseToken token;
  Verdict verdict = Verdict::kComplete;
  Outcome outcome = Outcome::kUnknown;
  uint64_t acknowledged_at = 0;
};

struct ScheduleWish {  // a schedule was asked for, or that there be none of its name
  std::string name;
  uint32_t user = 0;
  std::string payload;  // of its jobs
  Delivery delivery = Delivery::kAtLeastOnce;
  bool there = true;
  Outcome outcome = Outcome::kUnknown;
  uint64_t asked_at = 0, acknowledged_at = 0;
  TimeNs every_ns = 0;  // its runs are due so long after each other; 0 = otherwise, and nobody counts them
};

// What a list says of a schedule: when its last run was due (0 = none yet), when the next one is.
struct ScheduleStand {
  TimeNs last_ns = 0, next_ns = 0;
};

struct LetterCommand {  // somebody looks after a dead letter
  enum class Kind : uint8_t { kRedrive, kReview, kPurge };
  JobId id;
  Kind kind = Kind::kRedrive;
  JobNo life = 0;          // that it was in by a list which was asked for after all answers before
  std::string resolution;  // of a review; no other one says the same
  Outcome outcome = Outcome::kUnknown;
  uint64_t asked_at = 0, acknowledged_at = 0;
};

struct FinalState {  // at the end, when faults have stopped and everything had time to end
  JobState state = JobState::kPending;
  uint16_t attempts = 0;
  uint16_t max_attempts = 0;
  size_t ended_attempts = 0;  // in its history
  uint16_t failures = 0, deaths = 0;
  std::string payload;  // of a dead letter
  bool purged = false;
  JobNo life = 0;                          // the number of its last; 0 = nobody looked at lives and reviews
  std::vector<std::string> resolutions{};  // of its reviews, in all lives
  TimeNs made_ns = 0;                      // when a schedule's run was made
};

class History {
 public:
  // Each gives back an index by which its outcome is told later.
  size_t submitted(Submission submission);
  void submit_ended(size_t at, Outcome outcome, int64_t now_ns = 0, const JobId& first = {});
  void submit_sent_again(size_t at) { submissions_[at].sent_again = true; }
  void took(Taking taking);
  size_t settled(Settlement settlement);
  void settlement_ended(size_t at, Outcome outcome);
  size_t schedule_asked(ScheduleWish wish);
  void schedule_ended(size_t at, Outcome outcome);
  // Those that there are, when faults have stopped and nobody has taken them away yet because of that.
  void schedules_listed(std::map<std::string, ScheduleStand> schedules);
  // A redrive was asked for: from now on the job may have one more life.
  void redriven(const JobId& id) { ++redrives_[id]; }
  // It went out once more, after a reconnect: the life that it had begun may be over by then.
  void redrive_sent_again(const JobId& id, uint64_t times = 1) { redriven_again_[id] += times; }
  // A redrive that is looked at more closely, a review, or a purge.
  size_t letter_command(LetterCommand command);
  void letter_command_ended(size_t at, Outcome outcome);
  // Jobs of durability `memory` have gone.
  void engine_died() { last_engine_death_ = ++step_; }
  // Everything not synced may have gone.
  void power_was_cut() { power_cuts_.push_back(++step_); }
  void ended(const JobId& id, FinalState state) { final_[id] = std::move(state); }

  const std::vector<Submission>& submissions() const { return submissions_; }
  const std::vector<Taking>& takings() const { return takings_; }
  const std::vector<Settlement>& settlements() const { return settlements_; }
  const std::vector<ScheduleWish>& schedule_wishes() const { return schedule_wishes_; }
  const std::map<std::string, ScheduleStand>& schedules() const { return schedules_; }
  const std::vector<LetterCommand>& letter_commands() const { return letter_commands_; }
  uint64_t schedules_listed_at() const { return schedules_listed_at_; }
  const std::map<JobId, FinalState>& final_states() const { return final_; }
  uint64_t redrives(const JobId& id) const;
  // How many more lives than one it may have had.
  uint64_t lives_asked_for(const JobId& id) const;
  bool power_cut_after(uint64_t step) const { return !power_cuts_.empty() && power_cuts_.back() > step; }
  bool engine_died_after(uint64_t step) const { return last_engine_death_ > step; }
  bool any_power_cut() const { return !power_cuts_.empty(); }

 private:
  uint64_t step_ = 0;
  std::vector<Submission> submissions_;
  std::vector<Taking> takings_;
  std::vector<Settlement> settlements_;
  std::vector<ScheduleWish> schedule_wishes_;
  std::map<std::string, ScheduleStand> schedules_;
  std::vector<LetterCommand> letter_commands_;
  std::map<JobId, uint64_t> redriven_again_;
  uint64_t schedules_listed_at_ = 0;  // 0 = never
  std::map<JobId, uint64_t> redrives_;
  std::vector<uint64_t> power_cuts_;
  uint64_t last_engine_death_ = 0;
  std::map<JobId, FinalState> final_;
};

// The rules that hold after any crash, each broken one as a sentence; empty = all hold.
std::vector<std::string> broken_rules(const History& history);

}  // namespace pqd::check
