// Lists under way in the live jobs: so many rows a pass of the worker, in the order in which they were asked
// for, so that no question holds up a turn. What is found goes on to the store's reader. One thread.
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
  // Looks at kRowsPerPass rows at most; done(StoreQuestion) is called for each list that is complete.
  template <class Done>
  void go_on(State& state, Done&& done) {
    size_t rows = kRowsPerPass;
    while (!looks_.empty() && look(state, looks_.front(), rows)) {
      done(std::move(looks_.front().question));
      looks_.pop_front();
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
