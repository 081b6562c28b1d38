// The commands of `pqctl work --pool` that have nothing to do. Who waited for a job as long as the idle
// timeout has its input closed, which tells it to end, and is killed when it has not ended some time later.
// Nothing here blocks. One thread.
#pragma once

#include <functional>
#include <list>

#include "bindings/cpp/deadline.h"
#include "tools/pqctl/child.h"

namespace pqd::ctl {

class CommandPool {
 public:
  using Clock = Deadline::Clock;
  using Milliseconds = Deadline::Milliseconds;

  // `idle_timeout` 0 = they wait for ever. `say`: what people should know of one that ended by itself.
  CommandPool(Milliseconds idle_timeout, std::function<void(std::string)> say);

  // The one that worked last, so that those that there is no work for have their timeout; nothing when none
  // waits.
  std::optional<Child> take();
  // REQUIRES: its input was taken, and is open.
  void put(Child child);
  // Ends those whose time is over, and forgets those that have ended.
  void tend();
  // All are to end now.
  void close();
  void kill();

  bool empty() const { return commands_.empty(); }
  size_t waiting() const;
  // When tend() has something to do, if nothing else happens before.
  Clock::time_point next() const;
  void add_poll_fds(std::vector<pollfd>& fds) const;

 private:
  enum class Stage : uint8_t { kWaiting, kClosed, kKilled };
  struct Command {
    Child child;
    Stage stage;
    Clock::time_point until;
  };

  void close(Command& command);
  bool ended(Command& command) const;

  Milliseconds idle_timeout_;
  std::function<void(std::string)> say_;
  std::list<Command> commands_;  // who worked last stands last
};

}  // namespace pqd::ctl
