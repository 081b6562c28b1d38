#include "core/job_row.h"

#include <array>

#include "core/submit_record.h"

namespace pqd {
namespace {

constexpr uint8_t kRowVersion = 1;
constexpr size_t kSmallRecordBytes = 256;

void write_attempt(ByteWriter& out, const AttemptInfo& a) {
  out.varint(a.attempt);
  out.pod(a.reason);
  out.signed_varint(a.when_ns);
  out.varint(a.session);
  out.varint(a.uid);
  out.text(a.error);
}

AttemptInfo read_attempt(ByteReader& in) {
  AttemptInfo a;
  a.attempt = static_cast<uint16_t>(in.varint());
  a.reason = in.pod<Reason>();
  a.when_ns = in.signed_varint();
  a.session = in.varint();
  a.uid = static_cast<uint32_t>(in.varint());
  a.error = in.text();
  return a;
}

void write_reviews(ByteWriter& out, const std::vector<ReviewInfo>& reviews) {
  out.varint(reviews.size());
  for (const ReviewInfo& r : reviews) {
    out.signed_varint(r.when_ns);
    out.varint(r.session);
    out.varint(r.uid);
    out.text(r.resolution);
  }
}

void read_reviews(ByteReader& in, std::vector<ReviewInfo>& reviews) {
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    ReviewInfo r;
    r.when_ns = in.signed_varint();
    r.session = in.varint();
    r.uid = static_cast<uint32_t>(in.varint());
    r.resolution = in.text();
    reviews.push_back(std::move(r));
  }
}

}  // namespace

Bytes encode_row(const JobRow& row) {
  Bytes bytes;
  encode_row(row, bytes);
  return bytes;
}

void encode_row(const JobRow& row, Bytes& bytes) {
  bytes.clear();
  bytes.reserve(sizeof(JobCore) + row.record.size() + row.result.size() + 64);
  ByteWriter out(bytes);
  out.pod(kRowVersion);
  out.pod(row.core);
  out.pod(static_cast<uint8_t>(row.payload_dropped));
  out.blob(row.record);
  out.blob(row.result);
  out.text(row.note);
  out.varint(row.history.size());
  for (const AttemptInfo& attempt : row.history) write_attempt(out, attempt);
  if (!row.reviews.empty()) write_reviews(out, row.reviews);
}

std::expected<RowView, Error> read_row(ByteView bytes) {
  ByteReader in(bytes);
  if (in.pod<uint8_t>() != kRowVersion) return std::unexpected(Error::kSystemError);
  RowView row;
  row.core = in.pod<JobCore>();
  row.payload_dropped = in.pod<uint8_t>() != 0;
  row.record = in.blob();
  row.result = in.blob();
  row.note = in.text();
  const uint64_t attempts = in.varint();
  for (uint64_t i = 0; i < attempts && !in.failed(); ++i) row.history.push_back(read_attempt(in));
  if (in.remaining() > 0) read_reviews(in, row.reviews);
  if (in.failed() || in.remaining() != 0) return std::unexpected(Error::kSystemError);
  return row;
}

std::expected<JobRow, Error> decode_row(ByteView bytes) {
  auto view = read_row(bytes);
  if (!view) return std::unexpected(view.error());
  return JobRow{.core = view->core,
                .record = Bytes(view->record.begin(), view->record.end()),
                .payload_dropped = view->payload_dropped,
                .result = Bytes(view->result.begin(), view->result.end()),
                .note = std::string(view->note),
                .history = std::move(view->history),
                .reviews = std::move(view->reviews)};
}

std::expected<JobCore, Error> decode_row_core(ByteView bytes) {
  ByteReader in(bytes);
  if (in.pod<uint8_t>() != kRowVersion) return std::unexpected(Error::kSystemError);
  const auto core = in.pod<JobCore>();
  if (in.failed()) return std::unexpected(Error::kSystemError);
  return core;
}

bool append_row(ByteView without_record, ByteView record, Bytes& out) {
  constexpr size_t kBefore = sizeof kRowVersion + sizeof(JobCore) + sizeof(uint8_t);
  if (without_record.size() <= kBefore || without_record[kBefore] != std::byte{0}) return false;
  ByteWriter writer(out);
  writer.raw_bytes(without_record.first(kBefore));
  writer.blob(record);
  writer.raw_bytes(without_record.subspan(kBefore + 1));
  return true;
}

void drop_payload(JobRow& row, ByteView record) {
  if (row.payload_dropped) return;
  auto submit = read_submit_record(record);
  if (!submit) return;
  submit->payload = {};
  const size_t bytes = submit_record_bytes(*submit);
  if (std::array<std::byte, kSmallRecordBytes> small;
      record.size() <= 4 * small.size() && bytes <= small.size()) {
    // In the memory that it has: a row of most jobs that end goes this way.
    write_submit_record(*submit, std::span(small).first(bytes));
    row.record.assign(small.begin(), small.begin() + static_cast<ptrdiff_t>(bytes));
  } else {
    Bytes shorter(bytes);
    write_submit_record(*submit, shorter);
    row.record = std::move(shorter);
  }
  row.payload_dropped = true;
}

JobInfo job_info(const JobRow& row, std::string_view queue, std::string_view type, bool with_payload) {
  JobInfo info;
  info.core = row.core;
  info.queue = queue;
  info.type = type;
  info.note = row.note;
  info.result = row.result;
  info.history = row.history;
  info.reviews = row.reviews;
  info.dlq = is_dead_letter(row.core);
  if (const auto submit = read_submit_record(row.record)) {
    info.subject = submit->subject;
    info.metadata = submit->metadata;
    if (with_payload && !row.payload_dropped) {
      info.payload.assign(submit->payload.begin(), submit->payload.end());
      info.has_payload = true;
    }
  }
  return info;
}

}  // namespace pqd
