// The second half of `pqctl work`: what a command's end means for its jobs, and telling the daemon and
// people.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>

#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"
#include "tools/pqctl/work_loop.h"

namespace pqd::ctl {
namespace {

constexpr Milliseconds kLastFlush{5'000};
constexpr int kExitForGood = 65;

std::string not_completed(const JobOutcome& outcome) {
  return outcome.verdict == Verdict::kRelease ? "stopped" : "failed, " + one_line(outcome.text);
}

}  // namespace

void WorkLoop::ended(Running& running, int status) {
  if (options_.pool) return gone(running, status);
  JobOutcome outcome = outcome_of(running, status);
  if (options_.batch)
    settle_batch(running, std::move(outcome));
  else
    settle_job(running, std::move(outcome));
}

JobOutcome WorkLoop::outcome_of(const Running& running, int status) {
  const bool signalled = WIFSIGNALED(status);
  // Ctrl-C reaches a command that has just been started and is not in its own process group yet.
  const bool stop_signal = signalled && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM);
  if (stop_signal) take_signals();
  if ((stop_signal && phase_ == Phase::kFinishing) ||
      (signalled && (running.stopping || phase_ == Phase::kAborting)))
    return {Verdict::kRelease, {}};
  if (!signalled && WEXITSTATUS(status) == 0) return {Verdict::kComplete, {}};
  const bool for_good = !signalled && WEXITSTATUS(status) == kExitForGood;
  JobOutcome failed{for_good ? Verdict::kFailForGood : Verdict::kRetry, status_text(status)};
  if (const auto tail = running.child.error_tail(); !tail.empty()) failed.text += ": " + std::string(tail);
  return failed;
}

void WorkLoop::settle_job(Running& running, JobOutcome outcome) {
  if (outcome.verdict == Verdict::kComplete && running.child.output_too_long()) {
    outcome = {Verdict::kFailForGood,
               "the command's output is over 64 KiB; it should store it and print a reference"};
  } else if (outcome.verdict == Verdict::kComplete) {
    outcome.text = running.child.output();
  }
  DeliveredJob& job = running.work.jobs[0];
  report(running, job, outcome);
  settlements_.push_back({std::move(job), std::move(outcome)});
}

// A command whose words are not understood cannot be trusted to have done what it said nothing about.
void WorkLoop::settle_batch(Running& running, JobOutcome rest) {
  const Child& child = running.child;
  std::vector<DeliveredJob>& jobs = running.work.jobs;
  std::vector<JobId> ids;
  for (const DeliveredJob& job : jobs) ids.push_back(job.id());
  BatchOutcomes said = read_batch_outcomes(child.output(), ids, child.output_too_long());
  if (said.fault.empty() && child.output_too_long()) said.fault = "the command's output is too long";
  if (!said.fault.empty() && rest.verdict == Verdict::kComplete)
    rest = {Verdict::kRetry, said.fault};
  else if (!said.fault.empty() && rest.verdict != Verdict::kRelease)
    rest.text = said.fault + "; " + rest.text;
  const auto left =
      static_cast<size_t>(std::ranges::count_if(said.jobs, [](const auto& job) { return !job; }));
  report_rest(running, left, rest);
  if (!said.fault.empty() && (left == 0 || rest.verdict == Verdict::kRelease)) context_.say(said.fault);
  for (size_t i = 0; i < jobs.size(); ++i) {
    const JobOutcome& outcome = said.jobs[i] ? *said.jobs[i] : rest;
    if (said.jobs[i] || context_.format() != Format::kTable) report(running, jobs[i], outcome);
    settlements_.push_back({std::move(jobs[i]), outcome});
  }
}

void WorkLoop::give_back(std::vector<DeliveredJob> jobs) {
  for (DeliveredJob& job : jobs) settlements_.push_back({std::move(job), {}});
}

Result<Ticket> WorkLoop::send(const Settlement& settlement) {
  const auto& [verdict, text] = settlement.outcome;
  switch (verdict) {
    case Verdict::kComplete:
      return client_.complete(settlement.job, as_bytes(text));
    case Verdict::kRetry:
    case Verdict::kFailForGood:
      return client_.fail(settlement.job, text, verdict == Verdict::kRetry);
    case Verdict::kRelease:
      break;
  }
  return client_.release(settlement.job);
}

void WorkLoop::send_settlements() {
  while (!settlements_.empty()) {
    const auto ticket = send(settlements_.front());
    if (!ticket && may_pass(ticket.error().error)) return;
    if (!ticket) context_.fail(ticket.error());
    settlements_.pop_front();
  }
}

void WorkLoop::report(const Running& running, const DeliveredJob& job, const JobOutcome& outcome) {
  const std::string id = job.id().to_string();
  if (context_.format() == Format::kTable) {
    if (outcome.verdict == Verdict::kComplete) return;
    context_.say(id + " attempt " + std::to_string(job.attempt()) + " of " +
                 std::to_string(job.max_attempts()) + " " + not_completed(outcome));
    return;
  }
  constexpr std::array<const char*, 4> kNames{"completed", "failed", "failed_for_good", "released"};
  const std::chrono::duration<double, std::milli> took = Clock::now() - running.started;
  context_.print(
      json_text({{"requestId", id},
                 {"outcome", kNames[static_cast<size_t>(outcome.verdict)]},
                 {"attempt", job.attempt()},
                 {"processingTimeMs", static_cast<double>(static_cast<int64_t>(took.count() * 1e3)) / 1e3}},
                JsonStyle::kCompact) +
      "\n");
}

// One line for all jobs of a batch that share their fate; its first job names it.
void WorkLoop::report_rest(const Running& running, size_t count, const JobOutcome& rest) {
  if (context_.format() != Format::kTable || count == 0 || rest.verdict == Verdict::kComplete) return;
  const std::vector<DeliveredJob>& jobs = running.work.jobs;
  context_.say(std::to_string(count) + " of the " + std::to_string(jobs.size()) + " jobs of batch " +
               jobs[0].id().to_string() + " " + not_completed(rest));
}

int WorkLoop::end(int exit) {
  running_.clear();  // kills what still runs
  if (!settlements_.empty()) {
    context_.say(std::to_string(settlements_.size()) +
                 " outcomes could not be told to the daemon: those jobs will be done again");
    return exit == kExitOk ? kExitFailed : exit;
  }
  if (const auto flushed = client_.flush(kLastFlush); !flushed && exit == kExitOk) {
    exit = context_.fail(flushed.error());
  }
  const uint64_t refused = client_.counters().settlements_refused;
  if (refused != 0) {
    context_.say(std::to_string(refused) +
                 " outcomes came too late: their leases were lost, others do those jobs");
  }
  return exit;
}

}  // namespace pqd::ctl
