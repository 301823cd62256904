use crate::servers::{Kind, Site};
#[test]
fn zz() {
    let site = Site::start(Kind::CyrusByGateway).unwrap();
    let path = site.calendar("c6");
    let hers = site.kind.shared("c6");
    let props = "<propfind xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><prop><owner/><current-user-principal/><resourcetype/><C:calendar-home-set/><C:calendar-user-address-set/><resource-id/></prop></propfind>";
    for (who, path) in [
        ("secretary", hers.as_str()),
        ("secretary", path.as_str()),
        ("admin", "/dav/principals/user/alice/"),
        ("secretary", "/dav/principals/user/alice/"),
        ("secretary", "/dav/principals/user/secretary/"),
        ("admin", path.as_str()),
    ] {
        let a = site.direct.request("PROPFIND", path, who, &[("depth", "0")], props);
        eprintln!("=== {who} {path} {} {:?}\n{}", a.status, a.header("location"), a.text);
    }
}
