package attachment

import (
	"strings"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/archive"
)

// extensions are of file names, in lower case, a space before and after each.
type extensions string

// of tells whether a name has one of them.
func (x extensions) of(name string) bool { return x.has(extension(name)) }

func (x extensions) has(ext string) bool {
	return ext != "" && !strings.Contains(ext, " ") && strings.Contains(string(x), " "+ext+" ")
}

const (
	// programs are the extensions of what runs when it is opened, on one
	// system or another, or leads to something that does.
	programs extensions = " ade adp apk app appimage application appref-ms appx appxbundle bas bat chm cmd com command cpl csh " +
		"deb desktop diagcab dll dmg exe fxp gadget hlp hta inf ins isp jar jnlp js jse ksh lnk mad maf mag mam maq mar mas " +
		"mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 msi msix msixbundle msp mst ocx ops osd pcd pif pkg pl plg " +
		"bgi grp htc iqy library-ms msu printerexport pyo pyzw search-ms searchconnector-ms theme themepack udl website webpnp wll ws wsb " +
		"prf prg ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psm1 py pyc pyw pyz rb reg rpm run scf scr sct settingcontent-ms sh shb " +
		"shs sys tmp url vb vbe vbp vbs vhd vhdx vsmacros vsw vxd wsc wsf wsh xbap xll xnk " +
		// Of further systems and programs: of Access, Apple, browsers, editors, remote desktops.
		"accda accde accdr accdu apkm apks applescript appinstaller crx diagcfg diagpkg dqy fileloc flatpakref hpj inetloc mobileconfig " +
		"a3x ahk asx au3 its mcf oqy rdp rqy scpt scptd snap terminal vsix xapk xpi "
	// documents are the extensions that a reader trusts.
	documents extensions = " 7z ai avi bmp csv doc docm docx dot dotx dwg eml eps epub gif gz heic htm html ics jfif jpe jpeg jpg " +
		"json key log m4a mov mp3 mp4 mpeg mpg msg numbers odp ods odt pages pdf png pps ppsx ppt pptm pptx psd pub rar rtf sig " +
		"svg tar tif tiff txt vcf vsd vsdx wav webp wma wmv wps xls xlsb xlsm xlsx xml xps zip "
	// passive are extensions whose content is neither program nor archive,
	// and never happens to be: office documents are archives of their own.
	passive extensions = " bmp csv gif heic htm html ics jfif jpe jpeg jpg json log mp3 mp4 pdf png rtf svg tif tiff txt vcf wav webp " +
		"xml "
	// packedNames are the extensions of archives that are nothing else.
	packedNames extensions = " 7z ace alz arc arj b64 bhx bz bz2 cab cpio daa egg esd gz gzip hqx img iso isz lha lz lz4 lzh lzma lzo lzs nrg " +
		"pea qcow2 rar rz sit sitx swm tar taz tb2 tbz tbz2 tgz tlz txz tzst tzo udf uha uif uu uue vdi vmdk wim xar xxe xz z zipx zoo zpaq zst "
	// zipDocuments are the extensions of documents that are a zip.
	zipDocuments extensions = " docm docx dotm dotx epub odg odp ods odt ott potm potx ppam ppsm ppsx pptm pptx sldm vsdm vsdx xlam xlsb " +
		"xlsm xlsx xltm xltx "
	// macroDocuments are the extensions of documents that say that they have
	// macros.
	macroDocuments extensions = " docm dotm potm ppam ppsm pptm sldm vsdm vssm vstm xlam xlsm xltm "
	// archives are the extensions of what others are packed into.
	archives extensions = " 7z ace alz ar arc arj b64 bhx bz bz2 cab cpio daa dmg egg esd gz gzip hqx img iso isz jar lha lz lz4 lzh lzma lzo lzs msg " +
		"nrg pea qcow2 rar rz sit sitx swm tar taz tb2 tbz tbz2 tgz tlz txz tzo tzst udf uha uif uu uue vdi vhd vhdx vmdk wim xar xxe xz z zip " +
		"zipx zoo zpaq zst "
)

// claimOf is what the names of a part say of its content.
func claimOf(names []string) archive.Claim {
	claim := archive.NoArchive
	for _, name := range names {
		ext := extension(name)
		switch {
		case ext == "zip" || ext == "jar" || ext == "apk":
			return archive.ZipArchive
		case packedNames.has(ext), volume(name):
			claim = archive.AnArchive
		case zipDocuments.has(ext):
			claim = max(claim, archive.MaybeZip)
		}
	}
	return claim
}

// macroDocument tells whether a name is that of a document with macros.
func macroDocument(name string) bool { return macroDocuments.of(name) }

// base is a name without folders.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// extension is what follows the last dot, lower case.
func extension(name string) string {
	name = base(name)
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(name[i+1:]))
}

func executable(name string) bool { return programs.of(name) }

func isArchive(name string) bool { return archives.of(name) || volume(name) }

// volume tells a piece of an archive that was divided: docs.r42, docs.z01,
// docs.7z.001.
func volume(name string) bool {
	ext := extension(name)
	digits := strings.TrimLeft(ext, "rsz")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	if len(ext) == 3 && len(digits) == 2 {
		return true
	}
	return len(ext) == 3 && len(digits) == 3 && archives.of(name[:max(strings.LastIndexByte(name, '.'), 0)])
}

// doubleExtension tells whether the extension of a program follows that of a
// document.
func doubleExtension(name string) bool {
	name = base(name)
	if !executable(name) {
		return false
	}
	name = strings.TrimRightFunc(name[:strings.LastIndexByte(name, '.')], func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("._-…", r) // the last stands for the middle of a long name
	})
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return false
	}
	return documents.has(strings.ToLower(strings.TrimSpace(name[i+1:])))
}
