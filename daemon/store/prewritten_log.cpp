#include "daemon/store/prewritten_log.h"

namespace pqd {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr size_t kSmallBytes = 4096;
constexpr size_t kZeroBytes = 128u << 10;

}  // namespace

PrewrittenLog::PrewrittenLog(rocksdb::FileSystem& file_system, std::string path,
                             std::unique_ptr<rocksdb::FSWritableFile> log)
    : FSWritableFileOwnerWrapper(std::move(log)), file_system_(file_system), path_(std::move(path)) {}

IOStatus PrewrittenLog::Append(const Slice& data, const IOOptions& options, IODebugContext* debug) {
  if (data.size() <= kSmallBytes) write_zeros_behind(bytes() + data.size());
  auto appended = FSWritableFileOwnerWrapper::Append(data, options, debug);
  if (appended.ok()) size_.store(bytes() + data.size(), std::memory_order_release);
  return appended;
}

IOStatus PrewrittenLog::Append(const Slice& data, const IOOptions& options,
                               const rocksdb::DataVerificationInfo& sum, IODebugContext* debug) {
  if (data.size() <= kSmallBytes) write_zeros_behind(bytes() + data.size());
  auto appended = FSWritableFileOwnerWrapper::Append(data, options, sum, debug);
  if (appended.ok()) size_.store(bytes() + data.size(), std::memory_order_release);
  return appended;
}

IOStatus PrewrittenLog::Close(const IOOptions& options, IODebugContext* debug) {
  zeros_.reset();
  if (zeros_to_ > bytes())
    if (auto cut = target()->Truncate(bytes(), options, debug); !cut.ok()) return cut;
  zeros_to_ = bytes();
  return FSWritableFileOwnerWrapper::Close(options, debug);
}

// Zeros that cannot be written, on a full disk say, are no error: the append that follows has its own.
void PrewrittenLog::write_zeros_behind(uint64_t end) {
  if (end <= zeros_to_ || no_more_zeros_) return;
  if (zeros_ == nullptr && !file_system_.NewRandomRWFile(path_, {}, &zeros_, nullptr).ok()) {
    no_more_zeros_ = true;
    return;
  }
  static const std::string zeros(kZeroBytes, '\0');
  zeros_to_ = end + kZeroBytes;  // or a part of that
  no_more_zeros_ = !zeros_->Write(end, zeros, IOOptions(), nullptr).ok();
}

}  // namespace pqd
