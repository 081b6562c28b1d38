#include "daemon/engine/answer_writer.h"

namespace pqd {
namespace {

Bytes record_of(AnswerHead head, ByteView body) {
  Bytes record(sizeof head + body.size());
  head.head.size_bytes = static_cast<uint32_t>(record.size());
  std::memcpy(record.data(), &head, sizeof head);
  if (!body.empty()) std::memcpy(record.data() + sizeof head, body.data(), body.size());
  return record;
}

}  // namespace

Bytes answer_part(uint64_t request, AnswerKind kind, ByteView body) {
  AnswerHead head;
  head.request = request;
  head.kind = kind;
  return record_of(head, body);
}

Bytes answer_end(uint64_t request, Error error, std::string_view text) {
  AnswerHead head;
  head.request = request;
  head.error = static_cast<uint8_t>(error);
  return record_of(head, as_bytes(text));
}

}  // namespace pqd
