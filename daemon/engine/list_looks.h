// Lists under way in the live jobs: so many rows a pass of the worker, of one list after the other, so that
// no question holds up a turn, and none another for long. What is found goes on to the store's reader. One
// thread.
#pragma once

#include <deque>

#include "core/queries.h"
#include "daemon/engine/store_reader.h"

namespace pqd {

class ListLooks {
 public:
  static constexpr size_t kRowsPerPass = 4'096;

  void begin(StoreQuestion question);
  bool empty() const { return looks_.empty(); }
  // The session has gone.
  void forget(SessionNo session) {
    std::erase_if(looks_, [session](const Look& look) { return look.question.asker.session == session; });
  }
  // Looks at kRowsPerPass rows at most; done(StoreQuestion) is called for each list that is complete.
  template <class Done>
  void go_on(State& state, Done&& done) {
    size_t rows = kRowsPerPass;
    while (!looks_.empty() && rows > 0) {
      Look first = std::move(looks_.front());
      looks_.pop_front();
      if (!look(state, first, rows)) return looks_.push_back(std::move(first));
      done(std::move(first.question));
    }
  }

 private:
  struct Look {
    StoreQuestion question;
    JobId below;  // where it goes on
  };
  // True when all that matches, or as much as is wanted, was found.
  static bool look(State& state, Look& look, size_t& rows);

  std::deque<Look> looks_;
};

}  // namespace pqd
