// Questions and commands: each to the partition that it is about, or to all.
#include <algorithm>

#include "bindings/cpp/client_router.h"

namespace pqd {
namespace {

// Few enough that the outcomes of all are remembered, many enough to share a commit.
constexpr size_t kCommandsUnderWay = 1'000;

Failure failure_in(Answer&& answer) {
  if (answer.text.empty()) return failure_of(answer.error);
  return {answer.error, std::move(answer.text), 0};
}

Result<Answer> only(Result<std::vector<Answer>> answers) {
  if (!answers) return std::unexpected(std::move(answers.error()));
  Answer& answer = answers->front();
  if (answer.error != Error::kOk) return std::unexpected(failure_in(std::move(answer)));
  return std::move(answer);
}

}  // namespace

Result<std::vector<Answer>> ClientRouter::ask(std::span<ClientCore* const> cores, const QueryHead& head,
                                              std::string_view queue, std::string_view type) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if ((!queue.empty() && !valid_name(queue)) || (!type.empty() && !valid_name(type))) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  if (head.limit == 0 || head.limit > list_page_max(head.kind)) {
    return fail_with(Error::kInvalidRequest,
                     "a list's limit must be 1 to " + std::to_string(list_page_max(head.kind)));
  }
  struct Asked {
    ClientCore* core;
    ClientQuestions::Handle question;
    std::optional<Answer> answer{};
  };
  std::vector<Asked> asked;
  for (ClientCore* const core : cores) asked.push_back({core, core->questions().add(head, queue, type)});
  const auto ready = [&] {
    bool all = true;
    for (Asked& one : asked) {
      if (!one.answer) one.answer = one.core->questions().take(one.question);
      all &= one.answer.has_value();
    }
    return all;
  };
  const ClientCore* const of = cores.size() == 1 ? cores.front() : nullptr;
  const Waited waited = wait_until(ready, Deadline::in(answer_timeout()), of);
  if (waited != Waited::kReady) {
    for (const Asked& one : asked) one.core->questions().drop(one.question);
    return std::unexpected(waited_failure(waited, "the question", of));
  }
  std::vector<Answer> answers;
  for (Asked& one : asked) answers.push_back(std::move(*one.answer));
  return answers;
}

Result<Answer> ClientRouter::ask_for_queue(const QueryHead& head, std::string_view queue,
                                           std::string_view type) {
  const auto core = core_of_queue(queue, answer_timeout());
  if (!core) return std::unexpected(core.error());
  return only(ask(std::span(&*core, 1), head, queue, type));
}

Result<Answer> ClientRouter::ask_for_job(const QueryHead& head) {
  const auto core = core_of_job(head.id, answer_timeout());
  if (!core) return std::unexpected(core.error());
  return only(ask(std::span(&*core, 1), head, {}, {}));
}

Result<Answer> ClientRouter::ask_in(PartitionNo partition, const QueryHead& head, std::string_view type) {
  const auto core = core_of(partition, answer_timeout());
  if (!core) return std::unexpected(core.error());
  return only(ask(std::span(&*core, 1), head, {}, type));
}

// What one partition has never heard of another may know well.
Result<std::vector<Answer>> ClientRouter::ask_everywhere(const QueryHead& head, std::string_view queue,
                                                         std::string_view type) {
  const auto cores = all_cores(answer_timeout());
  if (!cores) return std::unexpected(cores.error());
  auto answers = ask(*cores, head, queue, type);
  if (!answers) return answers;
  const auto is_fault = [](const Answer& answer) {
    return answer.error != Error::kOk && answer.error != Error::kNotFound;
  };
  if (const auto bad = std::ranges::find_if(*answers, is_fault); bad != answers->end())
    return std::unexpected(failure_in(std::move(*bad)));
  const bool found = std::ranges::any_of(*answers, [](const Answer& a) { return a.error == Error::kOk; });
  if (!found) return std::unexpected(failure_in(std::move(answers->front())));
  std::erase_if(*answers, [](const Answer& answer) { return answer.error != Error::kOk; });
  return answers;
}

Result<std::vector<Answer>> ClientRouter::ask_about(const QueryHead& head, std::string_view queue,
                                                    std::string_view type) {
  if (queue.empty()) return ask_everywhere(head, queue, type);
  auto answer = ask_for_queue(head, queue, type);
  if (!answer) return std::unexpected(std::move(answer.error()));
  std::vector<Answer> one;
  one.push_back(std::move(*answer));
  return one;
}

Result<void> ClientRouter::command_for_queue(ByteView record, std::string_view queue) {
  const auto core = core_of_queue(queue, answer_timeout());
  if (!core) return std::unexpected(core.error());
  return (*core)->command(record, {});
}

Result<void> ClientRouter::command_for_job(ByteView record, const JobId& id) {
  const auto core = core_of_job(id, answer_timeout());
  if (!core) return std::unexpected(core.error());
  return (*core)->command(record, id);
}

Result<ManyOutcome> ClientRouter::command_many(std::span<const JobId> ids, Bytes (*write)(const JobId& id)) {
  std::vector<Ticket> tickets;
  tickets.reserve(std::min(ids.size(), kCommandsUnderWay));
  ManyOutcome count;
  while (!ids.empty()) {
    tickets.clear();
    const auto some = ids.first(std::min(ids.size(), kCommandsUnderWay));
    for (const JobId& id : some) {
      const auto core = core_of_job(id, answer_timeout());
      const auto ticket = core ? (*core)->send_control(write(id), id) : std::unexpected(core.error());
      if (!ticket && ticket.error().error != Error::kNotFound) return std::unexpected(ticket.error());
      if (ticket)
        tickets.push_back(*ticket);
      else
        ++count.gone;
    }
    ids = ids.subspan(some.size());
    for (const Ticket& ticket : tickets) {
      const auto outcome = wait(ticket, answer_timeout());
      const bool gone = !outcome && (outcome.error().error == Error::kNotFound ||
                                     outcome.error().error == Error::kInvalidStatus);
      if (!outcome && !gone) return std::unexpected(outcome.error());
      ++(gone ? count.gone : count.done);
    }
  }
  return count;
}

}  // namespace pqd
