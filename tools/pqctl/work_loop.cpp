#include "tools/pqctl/work_loop.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <ranges>

#include "tools/pqctl/batch_input.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/job_environment.h"

namespace pqd::ctl {
namespace {

using namespace std::chrono_literals;

constexpr auto kKillAfter = 5s;
constexpr auto kSettleAgainAfter = 200ms;
constexpr auto kExtendEveryMin = 20ms;
constexpr auto kExtendEveryMax = 1h;
constexpr auto kAskAgainAfter = 1min;  // a question waits for its answer, and everything else with it
constexpr size_t kOutcomesBytesMax = 64 * 1024 * 1024;

Deadline::Clock::duration a_third_of(Milliseconds lease) {
  return std::clamp<Deadline::Clock::duration>(lease / 3, kExtendEveryMin, kExtendEveryMax);
}

}  // namespace

WorkLoop::WorkLoop(Context& context, Client& client, const WorkOptions& options, uint32_t subscription,
                   int signals)
    : context_(context),
      client_(client),
      options_(options),
      subscription_(subscription),
      signals_(signals),
      pool_(options.idle_timeout, [this](const std::string& text) { context_.say(text); }) {}

int WorkLoop::run() {
  while (!done()) {
    take_signals();
    take_jobs();
    tend_running();
    pool_.tend();
    tend_waiting();
    start_jobs();
    send_settlements();
    context_.flush();
    if (done()) break;
    sleep();
    if (const auto processed = client_.process(); !processed) return end(context_.fail(processed.error()));
  }
  return end(exit_);
}

bool WorkLoop::done() const {
  if (phase_ == Phase::kWorking || !running_.empty() || !waiting_.empty() || !pool_.empty()) return false;
  // Who is told twice to stop does not wait for a daemon that is away.
  return settlements_.empty() || phase_ == Phase::kAborting;
}

void WorkLoop::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;  // tend_running() looks at every child anyway
    if (phase_ == Phase::kWorking) {
      finish_up();
    } else if (phase_ == Phase::kFinishing) {
      abort_all();
    }
  }
}

void WorkLoop::finish_up() {
  phase_ = Phase::kFinishing;
  pool_.close();
  if (!running_.empty()) {
    context_.say("stopping when " + std::to_string(running_.size()) +
                 (options_.batch ? " running batches" : " running jobs") +
                 " have ended; once more to kill them");
  } else if (!settlements_.empty()) {
    context_.say("stopping when the daemon is back and takes " + std::to_string(settlements_.size()) +
                 " outcomes; once more to give up");
  }
  // Otherwise what goes back would come again.
  const auto left = client_.unsubscribe(subscription_);
  if (!left && !may_pass(left.error().error)) context_.fail(left.error());
}

void WorkLoop::abort_all() {
  phase_ = Phase::kAborting;
  exit_ = kExitFailed;
  for (Running& running : running_) running.child.signal(SIGKILL);
  pool_.kill();
}

Result<std::vector<DeliveredJob>> WorkLoop::next() {
  if (options_.batch) return client_.next_batch(Milliseconds(0));
  auto job = client_.next(Milliseconds(0));
  if (!job) return std::unexpected(std::move(job.error()));
  std::vector<DeliveredJob> jobs;
  if (*job) jobs.push_back(std::move(**job));
  return jobs;
}

void WorkLoop::take_jobs() {
  for (;;) {
    auto jobs = next();
    if (!jobs) {
      // Away is waited out in process(); a subscription that was not renewed is the end of the work.
      if (phase_ != Phase::kWorking || may_pass(jobs.error().error)) return;
      exit_ = context_.fail(jobs.error());
      phase_ = Phase::kFinishing;
      return pool_.close();
    }
    if (jobs->empty()) return;
    const auto shortest = std::ranges::min(*jobs | std::views::transform(&DeliveredJob::lease_until_ms));
    const auto every = a_third_of(Milliseconds(shortest - unix_now_ms()));
    waiting_.push_back({std::move(*jobs), {Clock::now() + every, every}});
  }
}

void WorkLoop::start_jobs() {
  while (phase_ == Phase::kWorking && !waiting_.empty() && running_.size() < options_.concurrency) {
    Waiting work = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(work));
  }
}

Checked<WorkLoop::Running> WorkLoop::command_for(Waiting& work) {
  if (options_.pool) return from_pool(work);
  const std::vector<DeliveredJob>& jobs = work.jobs;
  Bytes input = options_.batch ? batch_input(jobs) : Bytes();
  auto child = options_.batch ? Child::spawn(options_.command, batch_environment(jobs), input,
                                             std::min(jobs.size() * kOutcomeLineBytes, kOutcomesBytesMax))
                              : Child::spawn(options_.command, job_environment(jobs[0]), jobs[0].payload());
  if (!child) return std::unexpected(std::move(child.error()));
  return Running{std::move(work), std::move(input), std::move(*child), Clock::now()};
}

void WorkLoop::start(Waiting work) {
  auto running = command_for(work);
  if (!running) {
    // Nothing will run here; the jobs are better off elsewhere.
    give_back(std::move(work.jobs));
    exit_ = context_.fail(running.error());
    return finish_up();
  }
  // Only a hint for onlookers: settling implies it.
  for (const DeliveredJob& job : running->work.jobs) {
    [[maybe_unused]] const auto started = client_.start(job);
  }
  running_.push_back(std::move(*running));
}

void WorkLoop::tend_waiting() {
  std::deque<Waiting> kept;
  for (Waiting& waiting : waiting_) {
    std::vector<DeliveredJob> back;
    std::vector<DeliveredJob> stay;
    for (DeliveredJob& job : waiting.jobs) {
      const bool stop = phase_ != Phase::kWorking || client_.cancel_requested(job);
      (stop ? back : stay).push_back(std::move(job));
    }
    give_back(std::move(back));
    waiting.jobs = std::move(stay);
    if (waiting.jobs.empty()) continue;
    extend_if_due(waiting);
    kept.push_back(std::move(waiting));
  }
  waiting_ = std::move(kept);
}

void WorkLoop::tend_running() {
  for (auto at = running_.begin(); at != running_.end();) {
    tend(*at);
    const bool settled = options_.pool && hear(*at);
    const auto status = settled ? std::nullopt : at->child.reap();
    if (status) ended(*at, *status);
    at = settled || status ? running_.erase(at) : std::next(at);
  }
}

void WorkLoop::tend(Running& running) {
  running.child.pump();
  if (running.stopping) {
    if (Clock::now() < running.kill_at) return;
    running.child.signal(SIGKILL);
    running.kill_at = Clock::time_point::max();
  } else if (std::ranges::all_of(running.work.jobs,
                                 [this](const auto& job) { return client_.cancel_requested(job); })) {
    stop(running);
  } else {
    extend_if_due(running.work);
  }
}

void WorkLoop::stop(Running& running) {
  running.stopping = true;
  running.kill_at = Clock::now() + kKillAfter;
  running.child.signal(SIGTERM);
}

void WorkLoop::extend_if_due(Waiting& work) {
  const auto now = Clock::now();
  Lease& lease = work.lease;
  if (now < lease.extend_at) return;
  const bool whole_again = !lease.length_known && is_extended(lease);
  for (const DeliveredJob& job : work.jobs) {
    if (*job.stop_flag()) continue;
    // When it cannot be sent, the next time will do; when it is refused, the stop flag says so.
    const auto extended = client_.extend(job, {});
    if (extended && !lease.extension) lease.extension = *extended;
  }
  if (whole_again) ask_for_length(work);
  lease.extend_at = now + lease.extend_every;
}

// Until the daemon has said so, what is left of the lease may be less than its length.
bool WorkLoop::is_extended(Lease& lease) {
  if (!lease.extension) return false;
  const auto outcome = client_.poll(*lease.extension);
  const bool decided = !outcome || *outcome;
  if (decided) lease.extension.reset();
  return outcome && *outcome;
}

void WorkLoop::ask_for_length(Waiting& work) {
  if (Clock::now() < ask_again_at_) return;
  // Those of a batch began together: what ends first is the shortest.
  const auto job = std::ranges::min_element(work.jobs, {}, &DeliveredJob::lease_until_ms);
  const auto info = client_.get(job->id());
  if (!info) {
    ask_again_at_ = Clock::now() + kAskAgainAfter;
    return;
  }
  work.lease.extend_every = a_third_of(Milliseconds(info->core.processing_timeout_ms));
  work.lease.length_known = true;
}

Deadline WorkLoop::next_deadline() const {
  Clock::time_point next = pool_.next();
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.lease.extend_at);
  for (const Running& running : running_) {
    next = std::min(next, running.stopping ? running.kill_at : running.work.lease.extend_at);
  }
  if (!settlements_.empty()) next = std::min(next, Clock::now() + kSettleAgainAfter);
  return Deadline::at(next);
}

void WorkLoop::sleep() {
  std::vector<pollfd> fds{{signals_, POLLIN, 0}, {client_.fd(), POLLIN, 0}};
  for (const Running& running : running_) running.child.add_poll_fds(fds);
  pool_.add_poll_fds(fds);
  const bool may_sleep = client_.arm();
  const auto left = may_sleep ? next_deadline().left() : Milliseconds(0);
  ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
}

}  // namespace pqd::ctl
