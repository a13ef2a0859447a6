// Signatures by RSA against those that the `openssl` program makes with the same key. The keys were made for these tests and
// open nothing.
import CofferCrypto
import Testing

/// What `openssl dgst -sha256 -sign` answers for this text and the key below.
private let expected =
    "34e7f0f28a551b332d2d13c097b959f26ca18b9235e9af89c51d5b02b61a8745cbbf053379f729cfd6b0bef1"
    + "d5c93dc5c48bcebe3a3bd14311f4f3b5fe730d765f7f706f2b4b32e5a230c412ed8e1a5866cc9f6a2a199f64"
    + "4c0e4fe1d2931308708e984616f80a7dec7f73397e55a56d67e74a3f60df3597eab7d672d32bbdd4e27f75e8"
    + "538b0f1aae4c4ab659afa92d1fc46c6dd3db577106245a27c111db844bbfb7c6479a9f091acf350a41b35364"
    + "ae84b17078355e163ebd9ae2db481b35493b614f105a0edb5ad20255a1a13d4d7204848c8dd3526981868a32"
    + "0b9171205e43bff2ff2b166caf23d92a834a2d9f0513d481d681aa3f31531989a37231ca"

@Suite struct RSASignerTests {
    @Test(arguments: [pkcs8, pkcs1])
    func aTextHasTheSignatureThatOpenSSLMakes(pem: String) throws {
        let signer = try #require(RSASigner(pem: pem))
        #expect(signer.signature(of: Array("what is signed".utf8)).map { hex($0) } == expected)
    }

    @Test func nothingHasASignatureToo() throws {
        let signer = try #require(RSASigner(pem: pkcs8))
        #expect(signer.signature(of: [])?.count == 256)
    }

    @Test(arguments: ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", elliptic, locked])
    func whatIsNoOpenRSAKeyIsRefused(pem: String) {
        #expect(RSASigner(pem: pem) == nil)
    }
}

/// A key that a passphrase protects: nobody is asked for it.
private let locked = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIPu5iLBJnfkkCAggA
    -----END ENCRYPTED PRIVATE KEY-----
    """

private let elliptic = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1S/E4QtLMjwmAOt2
    LRJ6Prw04Z4MtWQj5KMuPPzhuvShRANCAARBCdCfY1Xytwh/uf5mm8H71X8N7bvY
    rI6t0J0+2ibXds8WFfqMbqCXJ9w875YdcRig8YhC9jJ0nbuQzhBkkByp
    -----END PRIVATE KEY-----
    """

private let pkcs8 = """
    -----BEGIN PRIVATE KEY-----
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCrPgu98ONNrT/x
    rjKo3dAQBHwwm5jLyHmbKIIePzX4tWmGzwFp+DqxkKs3V8yI2aM0BzQBdtH7oMox
    VtQ377yEMeSg3CcObiTSCWhO6c11b0CewonzQ+XMhBgZtPrk37LplJHYnaNj7iDX
    gy6Tp2DoFzJu8yKWm52055u8Y7JGK3bMJiRc615A3l/rwIREnqdLLOiOdcu1FroT
    9u1a23EBdiQfA7wyok8dyNl95csi6IgnYqp8tTxIapjxBzPF4Q2xlyfmnVW/OpWq
    Fed+j2pnq+yR/+HZ4SEp1w/YuAy5Ps6jECxEbVKyKwoZ5Kuo3lgKZ18YL5LzKhce
    b1s8ovF5AgMBAAECggEAHDgQzPULLYFChiwL2spsH5TwTD2lO9ZmZ8cQo4sMygFH
    NGPHhV7WeULFsaHifvNyfWqUdjX48OD0gOtLSd5+r+rdlL6YIbzNN4mSVV1vsg2q
    gJ8UBvEQ8kIbC0geMk+aLFDYifGhpnWW7DzeFOSicmIO5Ga6XpxNVwL10Ivoqb75
    2iP03nvCwJ4b8Feo5LQALs6hzg/fDROpjm5Nmo74CBhwC/pu/J64FTt/2pGiTpvq
    BBezM+l4U5J1l9Pl3O7OFm9LlDLMS8rbXvQaB7BY1BtUbFtAVcXpSgGXhQMMjumu
    PBKh6zSr4Ot3vSYIVVNroM+Ro7LfccU2ecoCA2byWwKBgQDUPdylbLAD7F/e+TAR
    kx195HZ1D/Je73DfRP9r56ww42gayYpSZ8UZisAJF4WbbqaQ47jLb2slwHfRS7DT
    y4S4HV4SXFnRmJyrP2Pny2zTz6sZvc0i4V+1ofRtwhjQmeiPT0/celG77qXzyjTI
    LfYN2eaOwHbeG2i4nrh5XOFUawKBgQDOjDy+Kp6q1Ps8tGPc7Caid2aa8/JyuBSD
    lk455wlXcNB6QhOwJRSzG7nXh32YHGBjGA4HoG2mex0diOGBYId1m/8quEa4aIS4
    6EzEXJAXvhaEGWz/hjPf6W4rpgWokcZE8WX1ucsUeuXwLznOpMVJsrN1cWyg9qpp
    76EskFIqqwKBgD7VWZ83wBxJPFC8oPhy/0Yn/tHFONHWPSo8OQnu+lE24bkcdXDT
    +8wGAbgvWISdi35VjH3drHDuvAogSGdLVy1StGjnIkgk0Cz6hU84MC28y0DBqhtr
    cXRKUBy2W7ZV+j2DE3eIVu42RrcX4+xnfvK20cTtQcObhbMyehaj4qmlAoGBAMAJ
    qSxSKgXBUfoF6ldshRtHEnH9YC0DM6eIpyC0y32uGVeiefWq9Ez2+VoH0mEL+R4J
    Lnou0eQY0WA1dR06J5fUu3D3tmEcZFIbQczMFvjMNtkJXstQ9og328Pfb6FkL8jH
    /LlzzfozrfgboI6dqgS0jqAiHhKmZJlsQBlT8eFTAoGAIItPx56JjIfjiIOr5X3h
    DLI50POSTySnhFI5943Adv+GTm6oMaV6Wr+JXtHQVjV5gRc6Q9JAPLbr5NDLP/VD
    cev9LIuD8UCaIImO8UzDSYZVxHp83dHvib+gbWEHJJcJb9QvFu6yoDAfGOrlB12h
    GCGFMlpllSCn0ym9zowGDD0=
    -----END PRIVATE KEY-----
    """

private let pkcs1 = """
    -----BEGIN RSA PRIVATE KEY-----
    MIIEowIBAAKCAQEAqz4LvfDjTa0/8a4yqN3QEAR8MJuYy8h5myiCHj81+LVphs8B
    afg6sZCrN1fMiNmjNAc0AXbR+6DKMVbUN++8hDHkoNwnDm4k0gloTunNdW9AnsKJ
    80PlzIQYGbT65N+y6ZSR2J2jY+4g14Muk6dg6BcybvMilpudtOebvGOyRit2zCYk
    XOteQN5f68CERJ6nSyzojnXLtRa6E/btWttxAXYkHwO8MqJPHcjZfeXLIuiIJ2Kq
    fLU8SGqY8QczxeENsZcn5p1VvzqVqhXnfo9qZ6vskf/h2eEhKdcP2LgMuT7OoxAs
    RG1SsisKGeSrqN5YCmdfGC+S8yoXHm9bPKLxeQIDAQABAoIBABw4EMz1Cy2BQoYs
    C9rKbB+U8Ew9pTvWZmfHEKOLDMoBRzRjx4Ve1nlCxbGh4n7zcn1qlHY1+PDg9IDr
    S0nefq/q3ZS+mCG8zTeJklVdb7INqoCfFAbxEPJCGwtIHjJPmixQ2InxoaZ1luw8
    3hTkonJiDuRmul6cTVcC9dCL6Km++doj9N57wsCeG/BXqOS0AC7Ooc4P3w0TqY5u
    TZqO+AgYcAv6bvyeuBU7f9qRok6b6gQXszPpeFOSdZfT5dzuzhZvS5QyzEvK2170
    GgewWNQbVGxbQFXF6UoBl4UDDI7prjwSoes0q+Drd70mCFVTa6DPkaOy33HFNnnK
    AgNm8lsCgYEA1D3cpWywA+xf3vkwEZMdfeR2dQ/yXu9w30T/a+esMONoGsmKUmfF
    GYrACReFm26mkOO4y29rJcB30Uuw08uEuB1eElxZ0Zicqz9j58ts08+rGb3NIuFf
    taH0bcIY0Jnoj09P3HpRu+6l88o0yC32DdnmjsB23htouJ64eVzhVGsCgYEAzow8
    viqeqtT7PLRj3OwmondmmvPycrgUg5ZOOecJV3DQekITsCUUsxu514d9mBxgYxgO
    B6BtpnsdHYjhgWCHdZv/KrhGuGiEuOhMxFyQF74WhBls/4Yz3+luK6YFqJHGRPFl
    9bnLFHrl8C85zqTFSbKzdXFsoPaqae+hLJBSKqsCgYA+1VmfN8AcSTxQvKD4cv9G
    J/7RxTjR1j0qPDkJ7vpRNuG5HHVw0/vMBgG4L1iEnYt+VYx93axw7rwKIEhnS1ct
    UrRo5yJIJNAs+oVPODAtvMtAwaoba3F0SlActlu2Vfo9gxN3iFbuNka3F+PsZ37y
    ttHE7UHDm4WzMnoWo+KppQKBgQDACaksUioFwVH6BepXbIUbRxJx/WAtAzOniKcg
    tMt9rhlXonn1qvRM9vlaB9JhC/keCS56LtHkGNFgNXUdOieX1Ltw97ZhHGRSG0HM
    zBb4zDbZCV7LUPaIN9vD32+hZC/Ix/y5c836M634G6COnaoEtI6gIh4SpmSZbEAZ
    U/HhUwKBgCCLT8eeiYyH44iDq+V94QyyOdDzkk8kp4RSOfeNwHb/hk5uqDGlelq/
    iV7R0FY1eYEXOkPSQDy26+TQyz/1Q3Hr/SyLg/FAmiCJjvFMw0mGVcR6fN3R74m/
    oG1hBySXCW/ULxbusqAwHxjq5QddoRghhTJaZZUgp9Mpvc6MBgw9
    -----END RSA PRIVATE KEY-----
    """
