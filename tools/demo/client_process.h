// A producer or consumer as a process of its own, heard over a pipe and told over another.
#pragma once

#include <span>

#include "tools/demo/child.h"
#include "tools/demo/event.h"

namespace pqd::demo {

class ClientProcess {
 public:
  enum class Role { kProducer, kConsumer };

  // `errors` is where it complains. The error is a sentence.
  static std::expected<ClientProcess, std::string> start(Role role, const std::vector<std::string>& command,
                                                         int errors);

  int events_fd() const { return told_all_ ? -1 : events_.get(); }  // poll() passes over -1
  // Appends what it told since.
  void hear(std::vector<Event>& events) { told_all_ = told_all_ || !read_events(events_.get(), events); }
  // A producer: go on with the second half. False: it does not listen.
  bool go();
  // A consumer: end when all is settled.
  void dismiss() { input_.reset(); }
  // SIGKILL, no warning.
  void kill();
  // It has ended and everything it told was heard.
  bool done() { return told_all_ && child_.status().has_value(); }
  // The error: it ended otherwise than it should.
  std::expected<void, std::string> check();

 private:
  ClientProcess(Role role, Child child, UniqueFd input, UniqueFd events)
      : role_(role), child_(std::move(child)), input_(std::move(input)), events_(std::move(events)) {}

  Role role_;
  Child child_;
  UniqueFd input_;
  UniqueFd events_;
  bool told_all_ = false;
  bool killed_ = false;
};

}  // namespace pqd::demo
