#include "bindings/cpp/questions.h"

#include <algorithm>

namespace pqd {

ClientQuestions::Handle ClientQuestions::add(const QueryHead& head, std::string_view queue,
                                             std::string_view type) {
  const Handle handle = next_handle_++;
  Question& question = open_[handle];
  question.head = head;
  question.queue = queue;
  question.type = type;
  return handle;
}

std::optional<Answer> ClientQuestions::take(Handle handle) {
  const auto found = open_.find(handle);
  if (found == open_.end() || !found->second.ended) return std::nullopt;
  Answer answer = std::move(found->second.answer);
  open_.erase(found);
  return answer;
}

void ClientQuestions::ask_again() {
  for (auto& [handle, question] : open_) {
    if (question.ended) continue;
    question.sent = false;
    question.answer = {};
  }
}

void ClientQuestions::receive(ByteView record) {
  if (record.size() < sizeof(AnswerHead)) return;
  AnswerHead head;
  std::memcpy(&head, record.data(), sizeof head);
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& entry) {
    return entry.second.sent && !entry.second.ended && entry.second.head.request == head.request;
  });
  if (found == open_.end()) return;
  Question& question = found->second;
  const ByteView body = record.subspan(sizeof head);
  if (head.kind != AnswerKind::kEnd) {
    question.answer.parts.emplace_back(body.begin(), body.end());
    return;
  }
  question.answer.error = head.error < kErrorCount ? static_cast<Error>(head.error) : Error::kSystemError;
  question.answer.text = as_text(body);
  question.ended = true;
}

}  // namespace pqd
