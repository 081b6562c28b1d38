// Queries that are under way. They are not journaled: after a change of engine or a reconnect they are asked
// again under a new number, and what had come for the old one does not count. One thread.
#pragma once

#include <map>
#include <optional>

#include "core/control_record.h"
#include "core/down_record.h"

namespace pqd {

struct Answer {
  std::vector<Bytes> parts;  // bodies, in order
  Error error = Error::kOk;
  std::string text;
};

class ClientQuestions {
 public:
  using Handle = uint64_t;

  Handle add(const QueryHead& head, std::string_view queue, std::string_view type);
  void drop(Handle handle) { open_.erase(handle); }
  // Takes the answer out; nothing = not complete yet.
  std::optional<Answer> take(Handle handle);

  // Everything that is not answered has to be asked again.
  void ask_again();
  // Calls send(record) for each that has to be sent until it returns false.
  template <class Send>
  void send_all(Send send) {
    for (auto& [handle, question] : open_) {
      if (question.sent) continue;
      question.head.request = next_request_;
      if (!send(ByteView(write_query(question.head, question.queue, question.type)))) return;
      ++next_request_;
      question.sent = true;
    }
  }
  // One record of the answers ring.
  void receive(ByteView record);

 private:
  struct Question {
    QueryHead head;
    std::string queue;
    std::string type;
    bool sent = false;
    bool ended = false;
    Answer answer;
  };

  std::map<Handle, Question> open_;
  Handle next_handle_ = 1;
  uint64_t next_request_ = 1;
};

}  // namespace pqd
