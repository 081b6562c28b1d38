// The worker's answers about figures: the store's reader adds the rows up, the names come from the tables.
#include "daemon/engine/worker.h"

namespace pqd {

void Worker::answer_metrics(SessionPort& port, const QueryView& query) {
  const Tables& tables = parts_.state.tables;
  const uint64_t request = query.head.request;
  const auto span = metrics_span(query.head.since_ms, query.head.until_ms, parts_.state.now());
  if (!span) return end_answer(port, request, Error::kInvalidRequest, span.error());
  std::optional<QueueNo> queue;
  if (!query.queue.empty()) {
    queue = tables.find_queue(query.queue);
    if (!queue) return end_answer(port, request, Error::kNotFound, "there is no queue of this name");
  }
  std::optional<TypeNo> type;
  if (!query.type.empty()) {
    type = tables.find_type(query.type);
    if (!type) return end_answer(port, request, Error::kNotFound, "there has been no job of this type");
  }
  StoreQuestion question{QueryKind::kMetrics, asker_of(port), request, {}, {}, {}};
  question.filter.limit = query.head.limit;
  question.metrics = std::make_shared<MetricsLook>(MetricsSum(*span, queue, type, query.head.metrics_by));
  reader_.ask(std::move(question));
}

void Worker::answer_metrics_from_store(SessionPort& port, const StoreQuestion& question) {
  for (const MetricsInfo& info :
       question.metrics->sum.parts(parts_.state.tables, question.filter.limit, parts_.state.now()))
    if (!answer_with(port, question.request, AnswerKind::kMetrics, encode(info))) return;
  end_answer(port, question.request, Error::kOk);
}

}  // namespace pqd
