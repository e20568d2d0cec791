/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

struct bl_digest {
    EVP_MD_CTX *context;
    int failed;
};

bl_status bli_digest_new(bl_digest **ret_digest, bl_err *err)
{
    bl_digest *digest = calloc(1, sizeof *digest);
    if (digest)
        digest->context = EVP_MD_CTX_new();
    if (!digest || !digest->context) {
        bli_digest_free(digest);
        return bli_fail(err, BL_E_NOMEM, "no memory for a digest");
    }
    if (EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1) {
        bli_digest_free(digest);
        return bli_fail(err, BL_E_INTERNAL, "OpenSSL offers no SHA-256");
    }
    *ret_digest = digest;
    return BL_OK;
}

void bli_digest_free(bl_digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void bli_digest_add(bl_digest *digest, const void *bytes, size_t n)
{
    if (EVP_DigestUpdate(digest->context, bytes, n) != 1)
        digest->failed = 1;
}

bl_status bli_digest_end(bl_digest *digest, char ret_hex[BL_DIGEST_TEXT], bl_err *err)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (digest->failed || EVP_DigestFinal_ex(digest->context, raw, &n) != 1 || n != 32)
        return bli_fail(err, BL_E_INTERNAL, "OpenSSL could not finish a SHA-256");
    for (unsigned i = 0; i < n; i++) {
        ret_hex[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        ret_hex[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    ret_hex[2 * n] = '\0';
    return BL_OK;
}

bl_status bli_digest_bytes(const void *bytes, size_t n, char ret_hex[BL_DIGEST_TEXT],
                           bl_err *err)
{
    bl_digest *digest;
    bl_status st = bli_digest_new(&digest, err);
    if (st != BL_OK)
        return st;
    bli_digest_add(digest, bytes, n);
    st = bli_digest_end(digest, ret_hex, err);
    bli_digest_free(digest);
    return st;
}

bl_status bli_digest_file(const char *path, char ret_hex[BL_DIGEST_TEXT], bl_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': open", path);
    bl_digest *digest = NULL;
    bl_status st = bli_digest_new(&digest, err);
    char chunk[65536];
    ssize_t n = 0;
    while (st == BL_OK && (n = read(fd, chunk, sizeof chunk)) > 0)
        bli_digest_add(digest, chunk, (size_t)n);
    if (st == BL_OK && n < 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': read", path);
    if (st == BL_OK)
        st = bli_digest_end(digest, ret_hex, err);
    bli_digest_free(digest);
    close(fd);
    return st;
}
