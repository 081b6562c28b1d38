// pqctl work TYPE... [--queue --concurrency --ahead --batch --pool --idle-timeout] -- CMD...
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>

#include "tools/pqctl/work_loop.h"

namespace pqd::ctl {
namespace {

constexpr uint32_t kPatienceMs = 300'000;      // for a daemon that went away, unless --timeout says otherwise
constexpr uint32_t kCommandTimeoutMs = 5'000;  // longer, and signals would go unheard for too long

// From here on these come through the descriptor only.
Checked<UniqueFd> catch_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGCHLD}) ::sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return complain(kExitFailed, "no descriptor for signals: " + errno_text(errno));
  return fd;
}

}  // namespace

int run_work(Context& context, const WorkOptions& options) {
  for (const std::string& type : options.types) {
    if (valid_name(type)) continue;
    return context.fail(complaint_of(Error::kInvalidRequest,
                                     "the type \"" + type + "\" must be 1 to 64 of A-Z a-z 0-9 . _ : -"));
  }
  if (!find_program(options.command.front())) {
    return context.fail(
        {kExitUsage, "there is no program \"" + options.command.front() + "\" to run for the jobs"});
  }
  ConnectOptions connect_options = context.connect_options();
  if (!context.timeout()) connect_options.reconnect_timeout_ms = kPatienceMs;
  connect_options.answer_timeout_ms = std::min(connect_options.answer_timeout_ms, kCommandTimeoutMs);
  connect_options.submit_timeout_ms = 0;  // the loop sends again, and hears signals meanwhile
  auto client = context.connect(connect_options);
  if (!client) return context.fail(client.error());
  const auto signals = catch_signals();
  if (!signals) return context.fail(signals.error());
  Subscription wanted{.queue = options.queue, .types = {options.types.begin(), options.types.end()}};
  wanted.credits = std::max(options.concurrency, options.ahead);
  const auto subscription = client->subscribe(wanted);
  if (!subscription) return context.fail(subscription.error());
  return WorkLoop(context, *client, options, *subscription, signals->get()).run();
}

}  // namespace pqd::ctl
