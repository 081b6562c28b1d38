#include "core/control_record.h"

#include <algorithm>

#include "core/limits.h"

namespace pqd {
namespace {

// Head, then parts, with the size filled in.
template <class Head>
Bytes join(Head head, std::initializer_list<ByteView> parts) {
  Bytes out;
  ByteWriter writer(out);
  writer.pod(head);
  for (const ByteView part : parts) writer.raw_bytes(part);
  const auto size = static_cast<uint32_t>(out.size());
  std::memcpy(out.data() + offsetof(RecordHead, size_bytes), &size, sizeof size);
  return out;
}

template <class Head>
std::expected<Head, Error> read_head(ByteView record) {
  if (record.size() < sizeof(Head)) return std::unexpected(Error::kInvalidRequest);
  Head head;
  std::memcpy(&head, record.data(), sizeof head);
  return head;
}

template <class Head>
std::expected<Head, Error> read_fixed(ByteView record) {
  if (record.size() != sizeof(Head)) return std::unexpected(Error::kInvalidRequest);
  return read_head<Head>(record);
}

std::unexpected<Error> invalid() { return std::unexpected(Error::kInvalidRequest); }

size_t body_bytes_max(RecordKind kind) {
  if (kind == RecordKind::kComplete) return limits::kResultBytesMax;
  if (kind == RecordKind::kFail || kind == RecordKind::kExtend) return limits::kNoteBytesMax;
  return 0;
}

}  // namespace

Bytes write_settle(SettleHead head, ByteView body) {
  head.bytes = static_cast<uint32_t>(body.size());
  return join(head, {body});
}

Bytes write_subscribe(const SubscribeView& s) {
  SubscribeHead head;
  head.head.kind = static_cast<uint8_t>(RecordKind::kSubscribe);
  head.number = s.number;
  head.credits = s.credits;
  head.type_count = static_cast<uint16_t>(s.types.size());
  head.queue_bytes = static_cast<uint8_t>(s.queue.size());
  Bytes types;
  for (const std::string_view type : s.types) {
    types.push_back(static_cast<std::byte>(type.size()));
    types.insert(types.end(), as_bytes(type).begin(), as_bytes(type).end());
  }
  return join(head, {as_bytes(s.queue), types});
}

Bytes write_unsubscribe(uint32_t number) {
  SubscribeHead head;
  head.head.kind = static_cast<uint8_t>(RecordKind::kUnsubscribe);
  head.number = number;
  return join(head, {});
}

Bytes write_cancel(const JobId& id, bool running) {
  CancelRecord record;
  record.head.flags = running ? kFlagRunning : uint16_t{0};
  record.id = id;
  return join(record, {});
}

Bytes write_queue_control(QueueAction action, std::string_view queue) {
  QueueControlHead head;
  head.action = action;
  head.queue_bytes = static_cast<uint8_t>(queue.size());
  return join(head, {as_bytes(queue)});
}

Bytes write_queue_configure(std::string_view queue, const QueueSettings& settings, QueueKeys keys) {
  QueueConfigureHead head;
  copy_settings(head.settings, settings, keys);
  head.keys = keys;
  head.queue_bytes = static_cast<uint8_t>(queue.size());
  return join(head, {as_bytes(queue)});
}

Bytes write_redrive(const JobId& id) {
  RedriveRecord record;
  record.id = id;
  return join(record, {});
}

Bytes write_purge(const JobId& id) {
  PurgeRecord record;
  record.id = id;
  return join(record, {});
}

Bytes write_review(const JobId& id, std::string_view resolution) {
  ReviewHead head;
  head.id = id;
  return join(head, {as_bytes(resolution)});
}

Bytes write_query(QueryHead head, std::string_view queue, std::string_view type) {
  head.queue_bytes = static_cast<uint8_t>(queue.size());
  head.type_bytes = static_cast<uint8_t>(type.size());
  return join(head, {as_bytes(queue), as_bytes(type)});
}

Durability durability_of_control(ByteView record) {
  const auto head = read_head<RecordHead>(record);
  if (!head) return Durability::kFsync;
  const auto kind = static_cast<RecordKind>(head->kind);
  if (kind == RecordKind::kQuery || kind == RecordKind::kWatch || kind == RecordKind::kUnwatch)
    return Durability::kMemory;
  const bool settles = kind >= RecordKind::kStart && kind <= RecordKind::kExtend;
  const auto settle = settles ? read_head<SettleHead>(record) : std::unexpected(Error::kInvalidRequest);
  return settle && is_memory(settle->token.job) ? Durability::kMemory : Durability::kFsync;
}

std::expected<SettleView, Error> read_settle(ByteView record) {
  const auto head = read_head<SettleHead>(record);
  if (!head) return std::unexpected(head.error());
  const auto kind = static_cast<RecordKind>(head->head.kind);
  if (record.size() - sizeof(SettleHead) != head->bytes || head->progress > 100) return invalid();
  if (head->bytes > body_bytes_max(kind)) return std::unexpected(Error::kPayloadTooLarge);
  return SettleView{*head, record.subspan(sizeof(SettleHead))};
}

std::expected<SubscribeView, Error> read_subscribe(ByteView record) {
  const auto head = read_head<SubscribeHead>(record);
  if (!head) return std::unexpected(head.error());
  if (head->number > 0xFFFF || head->credits == 0 || head->credits > limits::kCreditsMax) return invalid();
  if (head->type_count > limits::kSubscriptionTypesMax) return invalid();
  ByteReader reader(record.subspan(sizeof(SubscribeHead)));
  SubscribeView view{head->number, head->credits, as_text(reader.raw_bytes(head->queue_bytes)), {}};
  for (uint16_t i = 0; i < head->type_count; ++i) {
    const auto length = reader.pod<uint8_t>();
    view.types.push_back(as_text(reader.raw_bytes(length)));
  }
  const bool names_ok =
      valid_name(view.queue) && std::all_of(view.types.begin(), view.types.end(), valid_name);
  if (reader.failed() || reader.remaining() != 0 || !names_ok) return invalid();
  return view;
}

std::expected<uint32_t, Error> read_unsubscribe(ByteView record) {
  const auto head = read_fixed<SubscribeHead>(record);
  if (!head) return std::unexpected(head.error());
  return head->number;
}

std::expected<CancelRecord, Error> read_cancel(ByteView record) { return read_fixed<CancelRecord>(record); }
std::expected<RedriveRecord, Error> read_redrive(ByteView record) {
  return read_fixed<RedriveRecord>(record);
}

std::expected<QueueControlView, Error> read_queue_control(ByteView record) {
  const auto head = read_head<QueueControlHead>(record);
  if (!head) return std::unexpected(head.error());
  const std::string_view queue = as_text(record.subspan(sizeof(QueueControlHead)));
  const bool action_ok = head->action >= QueueAction::kPause && head->action <= QueueAction::kDrain;
  if (queue.size() != head->queue_bytes || !valid_name(queue) || !action_ok) return invalid();
  return QueueControlView{head->action, queue};
}

std::expected<PurgeRecord, Error> read_purge(ByteView record) { return read_fixed<PurgeRecord>(record); }

std::expected<ReviewView, Error> read_review(ByteView record) {
  const auto head = read_head<ReviewHead>(record);
  if (!head) return std::unexpected(head.error());
  const std::string_view resolution = as_text(record.subspan(sizeof(ReviewHead)));
  if (resolution.empty()) return invalid();
  if (resolution.size() > limits::kNoteBytesMax) return std::unexpected(Error::kPayloadTooLarge);
  return ReviewView{*head, resolution};
}

std::expected<QueueConfigureView, Error> read_queue_configure(ByteView record) {
  const auto head = read_head<QueueConfigureHead>(record);
  if (!head) return std::unexpected(head.error());
  const std::string_view queue = as_text(record.subspan(sizeof(QueueConfigureHead)));
  if (queue.size() != head->queue_bytes || !valid_name(queue)) return invalid();
  if (!settings_in_range(head->settings, head->keys)) return invalid();
  return QueueConfigureView{*head, queue};
}

std::expected<QueryView, Error> read_query(ByteView record) {
  const auto head = read_head<QueryHead>(record);
  if (!head) return std::unexpected(head.error());
  ByteReader reader(record.subspan(sizeof(QueryHead)));
  QueryView view{*head, as_text(reader.raw_bytes(head->queue_bytes)),
                 as_text(reader.raw_bytes(head->type_bytes))};
  const bool names_ok =
      (view.queue.empty() || valid_name(view.queue)) && (view.type.empty() || valid_name(view.type));
  if (reader.failed() || reader.remaining() != 0 || !names_ok) return invalid();
  if (head->limit == 0 || head->limit > list_page_max(head->kind)) return invalid();
  return view;
}

}  // namespace pqd
