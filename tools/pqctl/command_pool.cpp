#include "tools/pqctl/command_pool.h"

#include <signal.h>

#include <algorithm>
#include <ranges>

namespace pqd::ctl {
namespace {

constexpr std::chrono::seconds kKillAfter{5};

}  // namespace

CommandPool::CommandPool(Milliseconds idle_timeout, std::function<void(std::string)> say)
    : idle_timeout_(idle_timeout), say_(std::move(say)) {}

std::optional<Child> CommandPool::take() {
  const auto last = std::ranges::find(commands_ | std::views::reverse, Stage::kWaiting, &Command::stage);
  if (last == commands_.rend()) return std::nullopt;
  const auto at = std::prev(last.base());
  Child child = std::move(at->child);
  commands_.erase(at);
  return child;
}

void CommandPool::put(Child child) {
  const bool for_ever = idle_timeout_ == Milliseconds(0);
  const auto until = for_ever ? Clock::time_point::max() : Clock::now() + idle_timeout_;
  commands_.push_back({std::move(child), Stage::kWaiting, until});
}

void CommandPool::tend() {
  const auto now = Clock::now();
  for (Command& command : commands_) {
    command.child.pump();
    // Whatever it says now is about nothing that it was given: it is not trusted with the next job.
    const bool talks = command.stage == Stage::kWaiting &&
                       command.child.output().find_first_not_of(" \t\r\n") != std::string::npos;
    if (talks) say_("a command without a job has written to its standard output: it is ended");
    if (talks || (command.stage == Stage::kWaiting && now >= command.until)) {
      close(command);
    } else if (command.stage == Stage::kClosed && now >= command.until) {
      command.child.signal(SIGKILL);
      command.stage = Stage::kKilled;
      command.until = Clock::time_point::max();
    }
  }
  std::erase_if(commands_, [this](Command& command) { return ended(command); });
}

bool CommandPool::ended(Command& command) const {
  const auto status = command.child.reap();
  if (!status) return false;
  if (*status != 0 && command.stage != Stage::kKilled) {
    const std::string tail(command.child.error_tail());
    say_("a command without a job has ended: " + status_text(*status) + (tail.empty() ? "" : ": ") + tail);
  }
  return true;
}

void CommandPool::close(Command& command) {
  command.child.close_input();
  command.stage = Stage::kClosed;
  command.until = Clock::now() + kKillAfter;
}

void CommandPool::close() {
  for (Command& command : commands_)
    if (command.stage == Stage::kWaiting) close(command);
}

void CommandPool::kill() {
  for (Command& command : commands_) {
    command.child.signal(SIGKILL);
    command.stage = Stage::kKilled;
    command.until = Clock::time_point::max();
  }
}

size_t CommandPool::waiting() const {
  return static_cast<size_t>(std::ranges::count(commands_, Stage::kWaiting, &Command::stage));
}

CommandPool::Clock::time_point CommandPool::next() const {
  auto next = Clock::time_point::max();
  for (const Command& command : commands_) next = std::min(next, command.until);
  return next;
}

void CommandPool::add_poll_fds(std::vector<pollfd>& fds) const {
  for (const Command& command : commands_) command.child.add_poll_fds(fds);
}

}  // namespace pqd::ctl
