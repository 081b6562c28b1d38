#include "daemon/engine/list_looks.h"

namespace pqd {

void ListLooks::begin(StoreQuestion question) {
  const JobId below = question.filter.below();
  looks_.push_back({std::move(question), below});
}

bool ListLooks::look(State& state, Look& look, size_t& rows) {
  const JobFilter& filter = look.question.filter;
  if (filter.nothing) return true;
  std::vector<JobRow>& found = look.question.rows;
  return state.jobs.index().look(state.jobs, filter.live_summary(), look.below, rows, [&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (filter.ends_before(core.id)) return false;
    if (filter.matches(core)) found.push_back(list_row_of(state, slot));
    return found.size() < filter.limit;
  });
}

}  // namespace pqd
