#include "tests/support/load/load_history.h"

#include <unistd.h>

#include <algorithm>
#include <ranges>

#include "core/partition.h"
#include "tests/support/load/load_schedule.h"

namespace pqd::test {
namespace {

using Places = std::map<uint64_t, size_t>;

std::string text_of(const ChainHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
std::string payload_hash(ByteView payload) { return text_of(entry_hash(payload)); }

check::Outcome outcome_of(Deed::Outcome outcome) { return static_cast<check::Outcome>(outcome); }
static_assert(static_cast<int>(check::Outcome::kRefused) == static_cast<int>(Deed::Outcome::kRefused));
static_assert(static_cast<int>(check::Verdict::kRelease) == static_cast<int>(Deed::Verdict::kRelease));

class Judge {
 public:
  explicit Judge(const Load& load) : load_(load), deeds_(load.deeds()) {}

  LoadJudgement run() {
    jobs_ = jobs_of(load_.socket(), load_.options().queue, 0);
    if (!jobs_.empty() && jobs_.front().core.id.empty())
      judged_.broken.push_back("the daemon does not answer");
    demand_each_once();
    submissions();
    deliveries();
    operations();
    ends();
    const auto broken = check::broken_rules(history_);
    judged_.broken.insert(judged_.broken.end(), broken.begin(), broken.end());
    count_broken();
    return std::move(judged_);
  }

 private:
  void broken(const JobId& id, const std::string& rule) {
    judged_.broken.push_back("job " + id.to_string() + " " + rule);
  }

  // Runs of schedules are told by the tag that a partition gives them; the rules know one.
  JobId told(const JobId& id) const {
    return id.tag() != run_tag_ ? id
                                : JobId::make(id.unix_ms(), JobId::kScheduleTag, id.lane(), id.counter());
  }

  void demand_each_once() {
    std::set<JobId> ids;
    for (const JobInfo& job : jobs_)
      if (!ids.insert(job.core.id).second) broken(job.core.id, "is there twice");
  }

  // Submits of which nobody said what became of them, not even an id: whoever has their content may be one.
  JobId id_of_unsent(uint64_t content) {
    for (JobId& id : seen_[content]) {
      if (known_.contains(id)) continue;
      known_.insert(id);
      return id;
    }
    return JobId::make(0, JobId::kScheduleTag, 0, ++made_up_);  // none of the daemon's
  }

  void submissions() {
    std::map<uint64_t, JobId> ids;
    for (const Deed& deed : deeds_) {
      if (deed.kind == Deed::Kind::kSent) ids[deed.number] = deed.id;
      if (deed.kind == Deed::Kind::kSent) known_.insert(deed.id);
      if (deed.kind == Deed::Kind::kTook) seen_[deed.content].push_back(deed.id);
    }
    for (const JobInfo& job : jobs_)
      if (const auto content = content_of(job.metadata)) seen_[*content].push_back(job.core.id);
    Places places;
    for (const Deed& deed : deeds_) {
      if (deed.kind == Deed::Kind::kSubmits) {
        const auto id = ids.find(deed.number);
        places[deed.number] = submission(deed, id == ids.end() ? id_of_unsent(deed.content) : id->second);
      } else if (deed.kind == Deed::Kind::kEngineDied) {
        history_.engine_died();
      } else if (deed.kind == Deed::Kind::kAgain) {
        history_.submit_sent_again(places.at(deed.number));
        ++judged_.figures.sent_again;
      } else if (deed.kind == Deed::Kind::kDecided) {
        history_.submit_ended(places.at(deed.number), outcome_of(deed.outcome), 0, deed.first);
        const bool refused = deed.outcome == Deed::Outcome::kRefused;
        ++(refused ? judged_.figures.refused : judged_.figures.acknowledged);
        judged_.figures.duplicates += deed.first != JobId() && deed.first != deed.id ? 1u : 0u;
      }
    }
    judged_.figures.submitted = places.size();
    judged_.figures.unheard = places.size() - judged_.figures.acknowledged - judged_.figures.refused;
  }

  size_t submission(const Deed& deed, const JobId& id) {
    const LoadJob job = load_job(load_.options(), deed.number);
    const AtomicSubmit atomic = atomic_submit(load_.options(), deed.number);
    check::Submission submission;
    submission.id = id;
    submission.user = ::getuid();
    submission.lane =
        uint64_t{producer_of(deed.number)} * 8 + static_cast<uint64_t>(lane_of_priority(job.priority));
    submission.payload = payload_hash(as_bytes(job.payload));
    submission.queue = load_.options().queue;
    submission.type = job.type;
    submission.ordering_key = job.ordering_key;
    submission.delivery = job.delivery;
    submission.durability = job.durability;
    submission.max_attempts = job.max_attempts;
    submission.idempotency_key = job.idempotency_key;
    submission.subject = job.subject;
    submission.batch = atomic.jobs > 1 ? atomic.first + 1 : 0;
    return history_.submitted(std::move(submission));
  }

  void deliveries() {
    using Lease = std::pair<uint64_t, std::pair<uint32_t, uint64_t>>;
    std::map<Lease, size_t> settlements;
    for (const Deed& deed : deeds_) {
      const Lease lease{deed.who, {deed.token.epoch, deed.token.lease}};
      if (deed.kind == Deed::Kind::kTook) {
        history_.took(
            {0, told(deed.id), deed.token, deed.who, deed.attempt, deed.max_attempts, text_of(deed.payload)});
        ++judged_.figures.taken;
        judged_.figures.taken_again += deed.attempt > 1 ? 1u : 0u;
      } else if (deed.kind == Deed::Kind::kSettles) {
        settlements[lease] =
            history_.settled({told(deed.id), deed.token, static_cast<check::Verdict>(deed.verdict),
                              check::Outcome::kUnknown, 0});
      } else if (deed.kind == Deed::Kind::kSettled) {
        history_.settlement_ended(settlements.at(lease), outcome_of(deed.outcome));
        const bool late = deed.outcome == Deed::Outcome::kRefused;
        ++(late ? judged_.figures.settled_late : judged_.figures.settled);
      }
    }
  }

  // What operators did.
  void operations() {
    std::map<std::pair<uint64_t, JobId>, size_t> letters;  // of one number there may be many
    std::map<uint64_t, size_t> wishes;
    for (const Deed& deed : deeds_) {
      const bool letter = deed.command <= Deed::Command::kPurge;
      if (deed.kind == Deed::Kind::kListed) {
        list_schedules();
      } else if (deed.kind == Deed::Kind::kCommands && letter) {
        letters[{deed.number, deed.id}] = history_.letter_command(letter_command(deed));
      } else if (deed.kind == Deed::Kind::kCommands) {
        wishes[deed.number] = history_.schedule_asked(wish(deed));
      } else if (deed.kind == Deed::Kind::kCommanded && letter) {
        history_.letter_command_ended(letters.at({deed.number, deed.id}), outcome_of(deed.outcome));
        count_letter(deed);
      } else if (deed.kind == Deed::Kind::kCommanded) {
        history_.schedule_ended(wishes.at(deed.number), outcome_of(deed.outcome));
        const bool set = deed.command == Deed::Command::kSchedule && deed.outcome == Deed::Outcome::kOk;
        judged_.figures.schedules += set ? 1u : 0u;
      }
    }
    redrives_sent_again();
  }

  check::LetterCommand letter_command(const Deed& deed) {
    check::LetterCommand command{
        told(deed.id), static_cast<check::LetterCommand::Kind>(deed.command), deed.token.job, {}, {}};
    if (deed.command == Deed::Command::kReview) command.resolution = load_resolution(deed.number);
    return command;
  }
  void count_letter(const Deed& deed) {
    LoadFigures& f = judged_.figures;
    uint64_t& count = deed.command == Deed::Command::kRedrive  ? f.redriven
                      : deed.command == Deed::Command::kReview ? f.reviewed
                                                               : f.purged;
    count += deed.outcome == Deed::Outcome::kOk ? 1u : 0u;
  }
  // Who died before it was answered may have met each death of a daemon since.
  void redrives_sent_again() {
    std::set<std::pair<uint64_t, JobId>> answered;
    uint64_t deaths = 0;
    for (const Deed& deed : deeds_ | std::views::reverse) {
      const bool redrive = deed.command == Deed::Command::kRedrive;
      if (deed.kind == Deed::Kind::kEngineDied) {
        ++deaths;
      } else if (deed.kind == Deed::Kind::kCommanded && redrive) {
        answered.emplace(deed.number, deed.id);
        history_.redrive_sent_again(told(deed.id), deed.attempt);
      } else if (deed.kind == Deed::Kind::kCommands && redrive &&
                 !answered.contains({deed.number, deed.id})) {
        history_.redrive_sent_again(told(deed.id), deaths);
      }
    }
  }

  check::ScheduleWish wish(const Deed& deed) {
    const LoadSchedule schedule = load_schedule(load_.options(), deed.content);
    check::ScheduleWish wish;
    wish.name = schedule.name;
    wish.user = ::getuid();
    wish.payload = payload_hash(as_bytes(schedule.payload));
    wish.delivery = schedule.delivery;
    wish.there = deed.command == Deed::Command::kSchedule;
    wish.every_ns = schedule.every_ns;
    return wish;
  }
  void list_schedules() {
    std::map<std::string, check::ScheduleStand> stands;
    for (const ScheduleInfo& schedule : load_.schedules())
      stands[schedule.name] = {schedule.last_ns, schedule.next_ns};
    history_.schedules_listed(std::move(stands));
  }

  void ends() {
    auto client = load_client(load_.socket(), "oracle");
    if (!client) return judged_.broken.push_back("the daemon takes no connection");
    for (JobInfo& job : jobs_) {
      const bool memory = job.core.durability == Durability::kMemory;
      check::FinalState end{
          job.core.state, job.core.attempts, job.core.max_attempts, 0, job.core.failures, job.core.deaths, {},
          job.core.purged};
      // Those of durability memory have no place among the dead letters, no history, and one life.
      if (memory) end.purged = true, end.ended_attempts = end.attempts;
      if (!memory) end.life = job.core.no, end.made_ns = job.core.created_ns;
      for (const ReviewInfo& review : job.reviews) end.resolutions.push_back(review.resolution);
      if (job.core.state == JobState::kFailed || job.core.state == JobState::kTimeout) {
        const bool dead = !memory && !job.core.purged;
        if (const auto letter = client->dlq_get(job.core.id); letter) {
          end.ended_attempts = letter->history.size();
          end.payload = payload_hash(letter->payload);
          if (!dead) broken(job.core.id, "was purged and is a dead letter");
        } else if (dead) {
          broken(job.core.id, "has failed and is no dead letter");
        } else {
          end.ended_attempts = job.history.size();
        }
      }
      count_run(job.core);
      judged_.figures.completed += job.core.state == JobState::kCompleted ? 1u : 0u;
      judged_.figures.failed += job.core.state == JobState::kFailed ? 1u : 0u;
      judged_.figures.timed_out += job.core.state == JobState::kTimeout ? 1u : 0u;
      judged_.figures.cancelled += job.core.state == JobState::kCancelled ? 1u : 0u;
      judged_.figures.delivery_lost += job.core.reason == Reason::kDeliveryLost ? 1u : 0u;
      history_.ended(told(job.core.id), std::move(end));
    }
    for (const check::Submission& s : history_.submissions())
      if (s.durability == Durability::kMemory && s.outcome == check::Outcome::kOk)
        judged_.figures.memory_gone += history_.final_states().contains(s.id) ? 0u : 1u;
  }

  void count_run(const JobCore& job) {
    if (told(job.id).tag() != JobId::kScheduleTag) return;
    ++judged_.figures.runs;
    const TimeNs due = static_cast<TimeNs>(job.id.unix_ms()) * kMillisecondNs;
    judged_.figures.runs_late += job.created_ns - due >= kSecondNs ? 1u : 0u;
  }

  void count_broken() {
    const auto of = [this](std::string_view words) {
      return static_cast<uint64_t>(std::ranges::count_if(judged_.broken, [words](const std::string& text) {
        return text.find(words) != std::string::npos;
      }));
    };
    judged_.figures.lost = of("was acknowledged and is lost");
    judged_.figures.twice = of("is at-most-once and was delivered");
    judged_.figures.after_completion = of("was delivered after its completion was acknowledged");
  }

  const Load& load_;
  const uint32_t run_tag_ = make_tag(0, partition_of(load_.options().queue, load_.options().partitions),
                                     load_.options().partitions);
  std::vector<Deed> deeds_;
  std::vector<JobInfo> jobs_;
  check::History history_;
  LoadJudgement judged_;
  std::map<uint64_t, std::vector<JobId>> seen_;  // by content
  std::set<JobId> known_;
  uint64_t made_up_ = 0;
};

}  // namespace

LoadFigures& LoadFigures::operator+=(const LoadFigures& other) {
  submitted += other.submitted, acknowledged += other.acknowledged, duplicates += other.duplicates;
  refused += other.refused, unheard += other.unheard, sent_again += other.sent_again, taken += other.taken;
  taken_again += other.taken_again, settled += other.settled, settled_late += other.settled_late;
  completed += other.completed, failed += other.failed, timed_out += other.timed_out;
  cancelled += other.cancelled;
  memory_gone += other.memory_gone, delivery_lost += other.delivery_lost, lost += other.lost;
  twice += other.twice, after_completion += other.after_completion;
  redriven += other.redriven, reviewed += other.reviewed, purged += other.purged;
  schedules += other.schedules, runs += other.runs, runs_late += other.runs_late;
  return *this;
}

LoadJudgement judge(const Load& load) { return Judge(load).run(); }

}  // namespace pqd::test
