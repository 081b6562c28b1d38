// What operators do while things die: a queue stands still for a while, jobs are cancelled, some of them in a
// consumer's hands. Each call connects anew: who forks meanwhile shall not take a connection along. One
// thread.
#pragma once

#include <functional>
#include <string>

namespace pqd::test {

class Meddler {
 public:
  // `below`: a number from the campaign's seed.
  Meddler(std::string socket, std::string queue, std::function<uint64_t(uint64_t)> below)
      : socket_(std::move(socket)), queue_(std::move(queue)), below_(std::move(below)) {}

  // All return what went otherwise than it may, "" = nothing.
  std::string pause();
  std::string resume();
  // A few of those that are pending or in somebody's hands, whichever they are.
  std::string cancel_some();

  uint64_t pauses() const { return pauses_; }
  uint64_t cancels() const { return cancels_; }

 private:
  std::string socket_;
  std::string queue_;
  std::function<uint64_t(uint64_t)> below_;
  uint64_t pauses_ = 0;
  uint64_t cancels_ = 0;  // that counted
};

}  // namespace pqd::test
