#include "core/watch_record.h"

namespace pqd {

Bytes write_watch(WatchHead head, std::string_view queue, std::string_view type) {
  head.queue_bytes = static_cast<uint8_t>(queue.size());
  head.type_bytes = static_cast<uint8_t>(type.size());
  head.head.size_bytes = static_cast<uint32_t>(sizeof head + queue.size() + type.size());
  Bytes bytes;
  ByteWriter out(bytes);
  out.pod(head);
  out.raw_bytes(as_bytes(queue));
  out.raw_bytes(as_bytes(type));
  return bytes;
}

Bytes write_unwatch(uint64_t request) {
  UnwatchRecord record;
  record.request = request;
  Bytes bytes;
  ByteWriter(bytes).pod(record);
  return bytes;
}

std::expected<WatchView, Error> read_watch(ByteView record) {
  ByteReader in(record);
  WatchView view;
  view.head = in.pod<WatchHead>();
  view.queue = as_text(in.raw_bytes(view.head.queue_bytes));
  view.type = as_text(in.raw_bytes(view.head.type_bytes));
  const bool names_ok =
      (view.queue.empty() || valid_name(view.queue)) && (view.type.empty() || valid_name(view.type));
  if (in.failed() || in.remaining() != 0 || !names_ok) return std::unexpected(Error::kInvalidRequest);
  return view;
}

std::expected<UnwatchRecord, Error> read_unwatch(ByteView record) {
  ByteReader in(record);
  const auto unwatch = in.pod<UnwatchRecord>();
  if (in.failed() || in.remaining() != 0) return std::unexpected(Error::kInvalidRequest);
  return unwatch;
}

}  // namespace pqd
