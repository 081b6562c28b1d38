// The second half of `pqctl work`: what a command's end means for its job, and telling the daemon and people.
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <boost/json/object.hpp>

#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"
#include "tools/pqctl/work_loop.h"

namespace pqd::ctl {
namespace {

constexpr Milliseconds kLastFlush{5'000};
constexpr int kExitForGood = 65;

}  // namespace

void WorkLoop::ended(Running& running, int status) {
  const Child& child = running.child;
  Settlement settlement;
  const bool signalled = WIFSIGNALED(status);
  // Ctrl-C reaches a command that has just been started and is not in its own process group yet.
  const bool stop_signal = signalled && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM);
  if (stop_signal) take_signals();
  if ((stop_signal && phase_ == Phase::kFinishing) ||
      (signalled && (running.stopping || phase_ == Phase::kAborting))) {
    settlement.verdict = Verdict::kRelease;
  } else if (!signalled && WEXITSTATUS(status) == 0 && child.output_too_long()) {
    settlement.verdict = Verdict::kFailForGood;
    settlement.text = "the command's output is over 64 KiB; it should store it and print a reference";
  } else if (!signalled && WEXITSTATUS(status) == 0) {
    settlement.verdict = Verdict::kComplete;
    settlement.text = child.output();
  } else {
    const bool for_good = !signalled && WEXITSTATUS(status) == kExitForGood;
    settlement.verdict = for_good ? Verdict::kFailForGood : Verdict::kRetry;
    settlement.text = status_text(status);
    if (!child.error_tail().empty()) settlement.text += ": " + std::string(child.error_tail());
  }
  report(running, settlement.verdict, settlement.text);
  settlement.job = std::move(running.job);
  settlements_.push_back(std::move(settlement));
}

void WorkLoop::give_back(DeliveredJob job) {
  settlements_.push_back({std::move(job), Verdict::kRelease, {}});
}

Result<Ticket> WorkLoop::send(const Settlement& settlement) {
  switch (settlement.verdict) {
    case Verdict::kComplete:
      return client_.complete(settlement.job, as_bytes(settlement.text));
    case Verdict::kRetry:
    case Verdict::kFailForGood:
      return client_.fail(settlement.job, settlement.text, settlement.verdict == Verdict::kRetry);
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

void WorkLoop::report(const Running& running, Verdict verdict, std::string_view text) {
  const bool completed = verdict == Verdict::kComplete;
  const std::string id = running.job.id().to_string();
  if (context_.format() == Format::kTable) {
    if (completed) return;
    context_.say(id + " attempt " + std::to_string(running.job.attempt()) + " of " +
                 std::to_string(running.job.max_attempts()) + " " +
                 (verdict == Verdict::kRelease ? "stopped" : "failed, " + one_line(text)));
    return;
  }
  constexpr std::array<const char*, 4> kNames{"completed", "failed", "failed_for_good", "released"};
  const std::chrono::duration<double, std::milli> took = Clock::now() - running.started;
  context_.print(
      json_text({{"requestId", id},
                 {"outcome", kNames[static_cast<size_t>(verdict)]},
                 {"attempt", running.job.attempt()},
                 {"processingTimeMs", static_cast<double>(static_cast<int64_t>(took.count() * 1e3)) / 1e3}},
                JsonStyle::kCompact) +
      "\n");
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
