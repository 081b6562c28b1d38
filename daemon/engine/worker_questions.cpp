// The worker's questions: from memory at once, or handed to the store's reader and answered when it is back.
#include <algorithm>

#include "core/explain.h"
#include "core/queries.h"
#include "daemon/engine/answer_writer.h"
#include "daemon/engine/worker.h"

namespace pqd {
namespace {

// Some take as long as there are queues: a turn waits for so many of them at most.
constexpr size_t kQuestionsPerPass = 8;
// A job that is redriven faster than it can be looked for may be said not to be there.
constexpr uint8_t kAskedAgainMax = 4;

// Where others have the name of something else, or none.
bool names_a_queue(QueryKind kind) {
  return kind == QueryKind::kJobs || kind == QueryKind::kDlq || kind == QueryKind::kQueues ||
         kind == QueryKind::kMetrics;
}

}  // namespace

void Worker::answer_questions() {
  for (StoreQuestion& question : reader_.take_answered()) answer_from_store(question);
  begin_questions();
  lists_.go_on(parts_.state, [this](StoreQuestion&& question) { reader_.ask(std::move(question)); });
}

void Worker::begin_questions() {
  const auto& all = parts_.ports.all();
  const size_t first = first_asker_;
  size_t begun = 0;
  for (size_t i = 0; i < all.size() && begun < kQuestionsPerPass; ++i) {
    const size_t at = (first + i) % all.size();
    if (!all[at]->may_answer()) continue;
    answer(*all[at], all[at]->questions().begin());
    first_asker_ = at + 1;
    ++begun;
  }
}

bool Worker::any_question() {
  return std::ranges::any_of(parts_.ports.all(), [](const SessionPort* port) { return port->may_answer(); });
}

void Worker::answer(SessionPort& port, ByteView record) {
  const auto kind = static_cast<RecordKind>(record[offsetof(RecordHead, kind)]);
  if (kind == RecordKind::kWatch) return begin_watch(port, record);
  if (kind == RecordKind::kUnwatch) {
    end_watch(port, record);
    return port.questions().end();
  }
  const auto query = read_query(record);
  if (!query) {
    QueryHead head;
    std::memcpy(&head, record.data(), std::min(record.size(), sizeof head));
    return end_answer(port, head.request, query.error());
  }
  const uint64_t request = query->head.request;
  if (names_a_queue(query->head.kind) && !query->queue.empty() && parts_.broker.is_elsewhere(query->queue))
    return end_answer(port, request, Error::kInvalidRequest, kElsewhereText);
  switch (query->head.kind) {
    case QueryKind::kJob:
    case QueryKind::kDlqJob:
    case QueryKind::kExplain:
      return answer_one_job(port, {query->head.kind, asker_of(port), request, query->head.id, {}, {}});
    case QueryKind::kJobs:
    case QueryKind::kDlq:
      return answer_jobs(port, *query);
    case QueryKind::kQueues:
      return answer_queues(port, *query);
    case QueryKind::kCron:
      return answer_schedules(port, *query);
    case QueryKind::kMetrics:
      return answer_metrics(port, *query);
    case QueryKind::kCopy:
      if (!parts_.broker.rights(port.number()).admin())
        return end_answer(port, request, Error::kUnauthorized, "the store is for administrators");
      return reader_.ask({QueryKind::kCopy, asker_of(port), request, {}, {}, {}});
    case QueryKind::kHealth: {
      const HealthInfo health = health_info(parts_.state, parts_.broker.recent(),
                                            {disk_.enough() ? "" : disk_.why(), parts_.clock.why_off()});
      if (!answer_with(port, request, AnswerKind::kHealth, encode(health))) return;
      return end_answer(port, request, Error::kOk);
    }
    default:
      return end_answer(port, request, Error::kInvalidRequest,
                        "this daemon does not answer this kind of question");
  }
}

void Worker::answer_one_job(SessionPort& port, StoreQuestion question) {
  const Slot slot = parts_.state.jobs.find(question.id);
  question.retired = retired_;
  if (slot == kNoSlot) return reader_.ask(std::move(question));
  if (question.kind == QueryKind::kExplain) return explain_job(port, question.request, slot);
  question.rows.push_back(row_in_memory(parts_.state, slot));
  if (question.rows.back().record.empty()) return reader_.ask(std::move(question));
  answer_from_store(question);
}

void Worker::explain_job(SessionPort& port, uint64_t request, Slot slot) {
  const Asker asker = asker_of(port);
  if (!may_see(asker, parts_.state.jobs.core(slot))) return end_answer(port, request, Error::kNotFound);
  if (answer_with(port, request, AnswerKind::kExplanation, encode(explain(parts_.state, slot, asker))))
    end_answer(port, request, Error::kOk);
}

void Worker::answer_jobs(SessionPort& port, const QueryView& query) {
  const Asker asker = asker_of(port);
  auto filter = filter_of(query, parts_.state.tables, asker);
  if (!filter) return end_answer(port, query.head.request, filter.error());
  if (query.head.kind == QueryKind::kDlq) filter->keep_dead_letters();
  ask_for_list({query.head.kind, asker, query.head.request, {}, *filter, {}});
}

void Worker::answer_queues(SessionPort& port, const QueryView& query) {
  const Tables& tables = parts_.state.tables;
  bool any = query.queue.empty();
  for (QueueNo queue = 0; queue < tables.queue_count(); ++queue) {
    if (!query.queue.empty() && tables.queue(queue).name != query.queue) continue;
    any = true;
    if (!answer_with(port, query.head.request, AnswerKind::kQueue, encode(queue_info(parts_.state, queue))))
      return;
  }
  end_answer(port, query.head.request, any ? Error::kOk : Error::kNotFound,
             any ? "" : "there is no queue of this name");
}

void Worker::answer_from_store(StoreQuestion& question) {
  SessionPort* port = parts_.ports.find(question.asker.session);
  if (port == nullptr) return;
  if (question.kind == QueryKind::kMetrics) return answer_metrics_from_store(*port, question);
  if (question.kind == QueryKind::kCopy) {
    if (!question.copy)
      return end_answer(*port, question.request, question.copy.error().code, question.copy.error().text);
    if (answer_with(*port, question.request, AnswerKind::kPath, as_bytes(*question.copy)))
      end_answer(*port, question.request, Error::kOk);
    return;
  }
  const bool one = question.kind != QueryKind::kJobs && question.kind != QueryKind::kDlq;
  // The store had one life of it no more, and the next not yet.
  const bool missed = retired_ != question.retired || parts_.state.jobs.find(question.id) != kNoSlot;
  if (one && question.rows.empty() && missed && question.asked_again++ < kAskedAgainMax)
    return answer_one_job(*port, std::move(question));
  if (!one && !complete_list(question)) return;
  std::erase_if(question.rows, [&](const JobRow& row) { return !may_see(question.asker, row.core); });
  const bool dlq = question.kind == QueryKind::kDlqJob;
  for (const JobRow& row : question.rows) {
    if (question.kind == QueryKind::kExplain) {
      const Bytes body = encode(explain_finished(row.core, parts_.state.tables));
      if (!answer_with(*port, question.request, AnswerKind::kExplanation, body)) return;
      continue;
    }
    const JobInfo info = info_of(row, dlq);
    if (dlq && !info.dlq)
      return end_answer(*port, question.request, Error::kNotFound,
                        "this job is not in the dead letter queue");
    if (!answer_with(*port, question.request, AnswerKind::kJob, encode(info))) return;
  }
  end_answer(*port, question.request, one && question.rows.empty() ? Error::kNotFound : Error::kOk);
}

bool Worker::answer_with(SessionPort& port, uint64_t request, AnswerKind kind, ByteView body) {
  Bytes record = answer_part(request, kind, body);
  if (record.size() <= record_bytes_max(port.grant().sizes.answers_bytes)) {
    port.outbox().add_answer(std::move(record));
    return true;
  }
  end_answer(port, request, Error::kPayloadTooLarge,
             "the answer is over half the session's answers ring: connect with a larger one");
  return false;
}

void Worker::end_answer(SessionPort& port, uint64_t request, Error error, std::string_view text) {
  port.outbox().add_answer(answer_end(request, error, text));
  port.questions().end();
}

Asker Worker::asker_of(const SessionPort& port) const {
  return {port.number(), port.grant().uid, parts_.broker.rights(port.number()).operates()};
}

JobInfo Worker::info_of(const JobRow& row, bool with_payload) const {
  const Tables& tables = parts_.state.tables;
  return job_info(row, tables.queue(row.core.queue).name, tables.type(row.core.type), with_payload);
}

}  // namespace pqd
