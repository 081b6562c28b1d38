// The part of `pqctl work --pool`: commands that stay, what they say about the job that they have, and what
// it means when they end with one. A line says what becomes of a job, never an exit: who ends between two
// jobs has not necessarily seen the second.
#include <array>

#include "tools/pqctl/batch_input.h"
#include "tools/pqctl/job_environment.h"
#include "tools/pqctl/utf8.h"
#include "tools/pqctl/work_loop.h"

namespace pqd::ctl {

Checked<WorkLoop::Running> WorkLoop::from_pool(Waiting& work) {
  Bytes input = batch_input(work.jobs);
  const auto with = [&](Child child, bool worked_before) {
    return Running{std::move(work), std::move(input), std::move(child), Clock::now(), worked_before};
  };
  while (auto child = pool_.take()) {
    // One that has ended meanwhile is dropped here.
    if (child->give(input)) return with(std::move(*child), true);
  }
  auto child =
      Child::spawn(options_.command, own_environment(), input, kOutcomeLineBytes, Child::Input::kStaysOpen);
  if (!child) return std::unexpected(std::move(child.error()));
  return with(std::move(*child), false);
}

bool WorkLoop::hear(Running& running) {
  Child& child = running.child;
  if (running.stopping) return false;
  if (child.output_too_long()) {
    running.misspoke = true;
    stop(running);
    return false;
  }
  while (const auto line = child.line()) {
    DeliveredJob& job = running.work.jobs[0];
    BatchOutcomes said = read_batch_outcomes(*line, std::array{job.id()});
    if (!said.fault.empty()) {
      // The line stays, for gone() to read.
      running.misspoke = true;
      stop(running);
      return false;
    }
    child.drop_line();
    if (!said.jobs[0]) continue;  // an empty one
    report(running, job, *said.jobs[0]);
    settlements_.push_back({std::move(job), std::move(*said.jobs[0])});
    // What it did not want to hear the end of would be the beginning of its next job.
    if (!child.input_taken()) return true;
    pool_.put(std::move(child));
    if (phase_ != Phase::kWorking) pool_.close();
    return true;
  }
  return false;
}

void WorkLoop::gone(Running& running, int status) {
  const Child& child = running.child;
  DeliveredJob& job = running.work.jobs[0];
  BatchOutcomes said = read_batch_outcomes(child.output(), std::array{job.id()}, child.output_too_long());
  if (said.fault.empty() && child.output_too_long()) said.fault = "the command's line is too long";
  JobOutcome outcome = outcome_of(running, status);
  const bool never_saw_it = running.worked_before && child.unread() == running.input.size();
  if (said.jobs[0]) {
    outcome = std::move(*said.jobs[0]);
    if (!said.fault.empty()) context_.say(said.fault);
  } else if (!said.fault.empty()) {
    outcome = {Verdict::kRetry, said.fault};
  } else if (never_saw_it) {
    outcome = {};
  } else if (outcome.verdict == Verdict::kComplete) {
    outcome = {Verdict::kRetry, "the command has ended without a line about the job"};
  } else if (outcome.verdict == Verdict::kFailForGood) {
    outcome.verdict = Verdict::kRetry;
  }
  report(running, job, outcome);
  settlements_.push_back({std::move(job), std::move(outcome)});
}

}  // namespace pqd::ctl
