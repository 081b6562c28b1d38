// The worker's answers about schedules: they stand in the tables, so that no store is asked.
#include "core/schedule_info.h"
#include "daemon/engine/worker.h"

namespace pqd {

void Worker::answer_schedules(SessionPort& port, const QueryView& query) {
  const Tables& tables = parts_.state.tables;
  const Asker asker = asker_of(port);
  bool any = query.queue.empty();
  for (const auto& [name, schedule] : tables.schedules().all()) {
    if (!query.queue.empty() && name != query.queue) continue;
    if (!asker.sees_all && schedule.owner_uid != asker.uid) continue;
    any = true;
    if (!answer_with(port, query.head.request, AnswerKind::kSchedule,
                     encode(schedule_info(tables, schedule, parts_.broker.run_tag()))))
      return;
  }
  end_answer(port, query.head.request, any ? Error::kOk : Error::kNotFound,
             any ? "" : "there is no schedule of this name");
}

}  // namespace pqd
